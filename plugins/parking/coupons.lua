-- coupons.lua: coupons of merchants: issued, claimed by a payment, used
-- (spec/parking.md, P27).

local linli = require "linli"
local record = require "record"

local M = {}

local LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
local LENGTH = 20 -- of an id; who knows it has the coupon

local function new_id()
    local id = {}
    for i = 1, LENGTH do
        local at = math.random(#LETTERS)
        id[i] = LETTERS:sub(at, at)
    end
    return table.concat(id)
end

local function is_merchant(call)
    if call.caller.kind ~= "staff" then
        return true
    end
    for _, role in ipairs(call.caller.roles) do
        if role == "merchant" then
            return true
        end
    end
    return false
end

local function expiry(call)
    local text = call.body.expires_at
    if text == nil then
        return nil
    end
    local at = linli.time.parse(text)
    if not at or at <= call.now then
        call:fail("parking/time-invalid", "expires_at is to come")
    end
    return at
end

local function view(coupon)
    return {
        id = coupon.id,
        kind = coupon.kind,
        minutes = coupon.minutes,
        amount_fen = coupon.amount_fen,
        expires_at = coupon.expires_at
            and linli.time.format(coupon.expires_at),
    }
end

-- POST /coupons/issue.
function M.issue(call)
    if not is_merchant(call) then
        call:fail("parking/not-a-merchant")
    end
    local body, expires_at = call.body, expiry(call)
    local items, ids = linli.array(), linli.array()
    for i = 1, math.tointeger(body.count or 1) do
        local coupon = call.db.coupon:insert {
            id = new_id(),
            kind = body.kind,
            minutes = body.minutes,
            amount_fen = body.amount_fen,
            plate = body.plate,
            state = "free",
            expires_at = expires_at,
            by = call.caller.id,
            at = call.now,
        }
        items[i], ids[i] = view(coupon), coupon.id
    end
    record.audit(call, "coupons", { kind = body.kind, count = #items,
        minutes = body.minutes, amount_fen = body.amount_fen,
        reason = body.reason })
    return 201, { coupon_ids = ids, items = items }
end

-- The coupons of these ids, free for a session; in their order. None of them
-- counts twice.
---@param call linli.Call
---@param ids string[]
---@param session table
---@return table[]
function M.free(call, ids, session)
    local found, named = {}, {}
    for i, id in ipairs(ids) do
        local coupon = call.db.coupon:get(id)
        if not coupon or coupon.plate and coupon.plate ~= session.plate then
            call:fail("parking/coupon-unknown", id)
        elseif coupon.state ~= "free" or named[id] then
            call:fail("parking/coupon-used", id)
        elseif coupon.expires_at and coupon.expires_at <= call.now then
            call:fail("parking/coupon-expired", id)
        end
        found[i], named[id] = coupon, true
    end
    return found
end

-- As the tariff takes them.
---@param coupons table[]
---@return parking.Coupon[]
function M.terms(coupons)
    local terms = {}
    for i, coupon in ipairs(coupons) do
        terms[i] = { id = coupon.id, kind = coupon.kind,
            minutes = coupon.minutes, amount_fen = coupon.amount_fen }
    end
    return terms
end

-- The first payment that is created with a coupon has it.
---@param call linli.Call
---@param coupons table[]
---@param payment_id string
function M.claim(call, coupons, payment_id)
    for _, coupon in ipairs(coupons) do
        call.db.coupon:patch(coupon.id,
            { state = "claimed", payment_id = payment_id })
    end
end

---@param call linli.Call
---@param terms {id: string}[]
---@param session table
function M.use(call, terms, session)
    for _, term in ipairs(terms) do
        call.db.coupon:patch(term.id, { state = "used",
            session_id = session.id, settled_at = call.now })
    end
end

-- The payment came to nothing: others may have the coupons.
---@param call linli.Call
---@param terms {id: string}[]
function M.release(call, terms)
    for _, term in ipairs(terms) do
        call.db.coupon:patch(term.id,
            { state = "free", payment_id = linli.null })
    end
end

return M
