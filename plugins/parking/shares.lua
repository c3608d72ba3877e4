-- shares.lua: owners share their space for a time (spec/parking.md, P33).

local bookings = require "bookings"
local linli = require "linli"
local page = require "page"
local plates = require "plates"

local M = {}

local SHARE_MS_MAX = 31 * linli.day

-- A space is its owners' by their household's plates.
local function own_space(call, id)
    local space = (linli.config.spaces or {})[id]
    for _, plate in ipairs(space and space.plates or {}) do
        if plates.is_own(call, plate, "entry") then
            return space
        end
    end
    call:fail("parking/space-unknown")
end

local function view(call, share)
    return {
        id = share.id,
        space_id = share.space_id,
        lot = share.lot,
        from = linli.time.format(share.from),
        to = linli.time.format(share.to),
        price_fen_per_hour = share.price_fen_per_hour,
        audience = share.audience,
        own = share.resident == call.resident.id,
    }
end

local function window_of(call, from_text, to_text)
    local from = from_text and linli.time.parse(from_text)
    local to = to_text and linli.time.parse(to_text)
    if not from or not to then
        call:fail("parking/time-invalid",
            "from and to are RFC 3339 times with an offset")
    end
    if to <= from or to <= call.now or to - from > SHARE_MS_MAX then
        call:fail("parking/interval-invalid")
    end
    return from, to
end

-- A car park of a closed estate is for residents alone.
local function check_audience(call, lot)
    local rules = (linli.config.lots or {})[lot] or {}
    if rules.residents_only and call.body.audience ~= "residents" then
        call:fail("parking/residents-only")
    end
end

-- POST /shares.
function M.create(call)
    local body = call.body
    local space = own_space(call, body.space_id)
    local from, to = window_of(call, body.from, body.to)
    check_audience(call, space.lot)
    if call.db.share:overlaps("by_space", body.space_id, from, to) then
        call:fail("parking/share-overlap")
    end
    local share = call.db.share:insert {
        space_id = body.space_id,
        lot = space.lot,
        from = from, to = to,
        price_fen_per_hour = math.tointeger(body.price_fen_per_hour),
        audience = body.audience,
        resident = call.resident.id,
        at = call.now,
    }
    return 201, view(call, share)
end

-- DELETE /shares/{id}.
function M.withdraw(call)
    local share = call.db.share:get(call.params.id)
    if not share or share.resident ~= call.resident.id then
        call:fail("parking/share-unknown")
    elseif bookings.live_of_share(call, share.id) then
        call:fail("parking/share-booked")
    end
    call.db.share:delete(share.id)
    return 204
end

-- Whether the caller may book it: what is for residents is for members of a
-- household.
---@param call linli.Call
---@param share table
---@return boolean
function M.is_for(call, share)
    return share.audience == "public" or call.resident.household ~= nil
end

local function offer(call, share, from, to)
    local item = view(call, share)
    item.available = share.from <= from and to <= share.to
        and not bookings.taken(call, share.space_id, from, to)
    return item
end

-- GET /shares?from&to, soonest first; ?own=true are the caller's.
function M.list(call)
    local items = linli.array()
    if call.query.own == "true" then
        return 200, page.answer(call, "share", { { index = "by_resident",
            eq = { call.resident.id } } }, view)
    end
    local from, to = window_of(call, call.query.from, call.query.to)
    for lot in pairs(linli.config.lots or {}) do
        for _, share in ipairs(call.db.share:overlapping("by_lot", lot,
            from, to)) do
            if M.is_for(call, share) then
                items[#items + 1] = offer(call, share, from, to)
            end
        end
    end
    table.sort(items, function(a, b)
        if a.from ~= b.from then
            return a.from < b.from
        end
        return a.id < b.id
    end)
    return 200, { items = items }
end

-- The share of the path, if the caller may book it.
---@param call linli.Call
---@return table
function M.of_path(call)
    local share = call.db.share:get(call.params.id)
    if not share or not M.is_for(call, share) then
        call:fail("parking/share-unknown")
    end
    return share
end

-- POST /shares/{id}/bookings.
function M.book(call)
    local share = M.of_path(call)
    local from, to = window_of(call, call.body.from, call.body.to)
    if from < share.from or to > share.to then
        call:fail("parking/outside-share")
    end
    return bookings.book(call, share, from, to)
end

return M
