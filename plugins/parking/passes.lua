-- passes.lua: passes of cars: bought, renewed, used by one car at a time,
-- reminded of and counted (spec/parking.md, P28 to P32).
--
-- A pass is months from a local date, half-open. Each of its plates has a
-- document `pass_plate` with its instants, by which a gate finds it.

local dates = require "dates"
local linli = require "linli"
local page = require "page"
local paying = require "paying"
local plates = require "plates"
local record = require "record"
local texts = require "texts"

local M = {}

local BUY_MS = 15 * linli.minute
local AHEAD_MONTHS = 12 -- a pass may begin so late
local MARKS = { 7, 1 } -- days before the end at which owners are reminded
local REMIND_HOUR = 9
local MONTHS_MAX = 120 -- of one pass, renewals included
local HOLDERS_MAX = 100 -- latest stays of a pass that are looked at

local function instant(date)
    return linli.time.from_day(date)
end

local function product_of(call, id)
    return (linli.config.passes or {})[id]
        or call:fail("parking/product-unknown")
end

local function ends_on(pass, months)
    return dates.add_months(pass.starts_on, months or pass.months)
end

local function takes(of_plate, lot)
    if not of_plate.lots then
        return true
    end
    for _, one in ipairs(of_plate.lots) do
        if one == lot then
            return true
        end
    end
    return false
end

local function each_plate(call, pass, visit)
    for _, plate in ipairs(pass.plates) do
        visit(call.db.pass_plate, pass.id .. "/" .. plate, plate)
    end
end

-- -- what a pass does for a stay ------------------------------------------

-- Whether another car of the pass was inside when this one came.
local function in_use(call, pass_id, session)
    local before = call.db.session:list { index = "by_pass",
        eq = { pass_id }, to = { session.entered_at + 1 },
        descending = true, limit = HOLDERS_MAX }
    for _, other in ipairs(before) do
        local ended = other.left_at or other.ended_at
        if other.id ~= session.id
            and (not ended or ended > session.entered_at) then
            return true
        end
    end
    return false
end

local function usable(call, of_plate, session)
    return of_plate.active and takes(of_plate, session.lot)
        and not in_use(call, of_plate.pass_id, session)
end

-- The pass that pays for a stay: valid when it begins, or, of an entry that is
-- told late, begun since; and not in use. A second car is temporary for its
-- whole stay (P29).
---@param call linli.Call
---@param session {id: string?, plate: string, lot: string,
---               entered_at: integer}
---@return string?
function M.at_entry(call, session)
    local at = session.entered_at
    for _, of_plate in ipairs(call.db.pass_plate:overlapping("by_plate",
        session.plate, at, math.max(at, call.now) + 1)) do
        if usable(call, of_plate, session) then
            return of_plate.pass_id
        end
    end
end

-- Until when the session's pass pays for a stay up to `at`, as the pass is
-- now: it may have been renewed meanwhile.
---@param call linli.Call
---@param session table
---@param at integer
---@return integer?
function M.covers_until(call, session, at)
    local pass = session.pass_id and call.db.pass:get(session.pass_id)
    return pass and pass.from < at and pass.to or nil
end

-- The cars that are inside when a pass begins, or is paid: the first to have
-- come uses it.
local function cover_inside(call, pass)
    local inside = {}
    each_plate(call, pass, function(kept, id, plate)
        local session = pass.from <= call.now
            and call.db.session:find("open_plate", plate)
        if session then
            inside[#inside + 1] =
                { session = session, of_plate = kept:get(id) }
        end
    end)
    table.sort(inside, function(a, b)
        return a.session.entered_at < b.session.entered_at
    end)
    for _, car in ipairs(inside) do
        local session = car.session
        local old = session.pass_id and call.db.pass:get(session.pass_id)
        if (not old or old.to <= pass.from)
            and usable(call, car.of_plate, session) then
            call.db.session:patch(session.id, { pass_id = pass.id })
        end
    end
end

-- -- reminders and the meter ----------------------------------------------

-- Nine o'clock of a date, also where the night had another length.
local function morning(date)
    local at = instant(date) + REMIND_HOUR * linli.hour
    return at + (REMIND_HOUR - linli.time.fields(at).hour) * linli.hour
end

-- A mark that has gone by is not made up for.
local function set_reminders(call, pass)
    for _, days in ipairs(MARKS) do
        local at = morning(dates.add_days(pass.ends_on, -days))
        if at > call.now and pass.resident then
            call:timer { at = at, run = "pass_reminder",
                with = { id = pass.id, days = days },
                key = "remind/" .. pass.id .. "/" .. days,
                subject = pass.resident }
        end
    end
end

---@param call linli.Call
---@param with {id: string, days: integer}
function M.remind(call, with)
    local pass = call.db.pass:get(with.id)
    if not pass or pass.state ~= "active" or pass.to <= call.now then
        return
    end
    call:notify {
        to = pass.resident,
        template = "pass_expires",
        with = { plate = plates.mask(pass.plates[1]), days = with.days,
            ends_on = pass.ends_on },
        key = string.format("%s/%s/%d", pass.id, pass.ends_on, with.days),
    }
end

-- Counts the months that have begun, each once a pass, and waits for the next.
local function count_months(call, pass)
    local next_on = pass.month_on
    while next_on < pass.ends_on and instant(next_on) <= call.now do
        record.count(call, "parking.pass_month",
            pass.id .. "/" .. dates.month(next_on), instant(next_on))
        next_on = dates.next_month(next_on)
    end
    if next_on ~= pass.month_on then
        call.db.pass:patch(pass.id, { month_on = next_on })
    end
    if next_on < pass.ends_on then
        call:timer { at = instant(next_on), run = "pass_month",
            with = { id = pass.id }, key = "month/" .. pass.id,
            subject = pass.resident }
    end
end

---@param call linli.Call
---@param with {id: string}
function M.month_begins(call, with)
    local pass = call.db.pass:get(with.id)
    if pass and pass.state == "active" then
        if pass.month_on == pass.starts_on then
            cover_inside(call, pass)
        end
        count_months(call, pass)
    end
end

-- -- being paid -----------------------------------------------------------

-- So many months from its first date, from now on.
local function run_for(call, pass, months)
    local ends = ends_on(pass, months)
    pass = call.db.pass:patch(pass.id, { state = "active", months = months,
        ends_on = ends, to = instant(ends), renewing = linli.null })
    each_plate(call, pass, function(kept, id)
        kept:patch(id, { to = pass.to, active = true })
    end)
    set_reminders(call, pass)
    count_months(call, pass)
    return pass
end

-- The sum of a pass or of its renewal is owed once.
paying.kind("pass", {
    accepted = function(call, payment)
        local pass = call.db.pass:get(payment.of)
        local renewal = payment.more.renewal
        if renewal and pass.renewing ~= payment.id
            or not renewal and pass.state ~= "unpaid" then
            return 0
        end
        pass = run_for(call, pass,
            (renewal and pass.months or 0) + payment.more.months)
        if not renewal then
            cover_inside(call, pass)
        end
        return payment.amount_fen
    end,
    released = function(call, payment)
        if payment.more.renewal then
            call.db.pass:patch(payment.of, { renewing = linli.null })
            return
        end
        local pass = call.db.pass:patch(payment.of,
            { state = "expired" })
        each_plate(call, pass, function(kept, id)
            kept:delete(id)
        end)
    end,
})

-- -- buying ---------------------------------------------------------------

local function format(ms)
    return ms and linli.time.format(ms)
end

local function view(call, pass)
    local shown = linli.array()
    for i, plate in ipairs(pass.plates) do
        shown[i] = call.caller.kind == "resident"
            and not plates.is_own(call, plate, "entry")
            and plates.mask(plate)
            or plate
    end
    local ended = pass.state == "active" and pass.to <= call.now
    return {
        id = pass.id,
        product_id = pass.product_id,
        plates = shown,
        concurrent = 1,
        state = ended and "ended" or pass.state,
        starts_on = pass.starts_on,
        ends_on = pass.ends_on,
        valid_from = format(pass.from),
        valid_until = format(pass.to),
        price_fen = pass.price_fen,
    }
end

local function check_plates(call, product)
    local wanted = call.body.plates
    if #wanted > (product.plates_max or 1) then
        call:fail("parking/too-many-plates")
    end
    for _, plate in ipairs(wanted) do
        if call.caller.kind == "resident"
            and not plates.is_own(call, plate, "entry") then
            call:fail("parking/plate-unknown")
        end
    end
end

local function check_room(call, plate, from, to, own)
    for _, other in ipairs(call.db.pass_plate:overlapping("by_plate", plate,
        from, to)) do
        if other.pass_id ~= own then
            call:fail("parking/pass-overlap")
        end
    end
end

local function check_start(call)
    local starts_on = call.body.starts_on
    if not instant(starts_on) then
        call:fail("parking/time-invalid", "starts_on is no date")
    elseif starts_on < linli.time.day(call.now) then
        call:fail("parking/time-invalid", "starts_on has passed")
    elseif starts_on > dates.add_months(linli.time.day(call.now),
        AHEAD_MONTHS) then
        call:fail("parking/time-invalid", "starts_on is too far ahead")
    end
    return starts_on
end

-- Asks for the price of the product, for a new pass or for more of it.
local function ask(call, pass, product, renewal)
    local payment = paying.begin(call, {
        kind = "pass", of = pass.id, amount_fen = product.fee_fen,
        title = texts.title "pass", pay_by = call.now + BUY_MS,
        more = { renewal = renewal, months = product.months or 1 },
    })
    if renewal then
        call.db.pass:patch(pass.id, { renewing = payment.id })
    end
    return paying.answer(call, payment, function()
        return view(call, call.db.pass:get(pass.id))
    end)
end

-- The staff take the money at the desk, and say so.
local function sold_at_desk(call, pass)
    record.audit(call, "pass", { pass_id = pass.id,
        collected_fen = pass.price_fen, reason = call.body.reason })
    pass = run_for(call, pass, pass.months)
    cover_inside(call, pass)
    return 201, view(call, pass)
end

-- POST /passes.
function M.buy(call)
    local body, product = call.body, product_of(call, call.body.product_id)
    local by_hand = call.caller.kind ~= "resident"
    if by_hand and not body.reason then
        call:fail("parking/reason-missing")
    end
    check_plates(call, product)
    local starts_on, months = check_start(call), product.months or 1
    local ends = dates.add_months(starts_on, months)
    local from, to = instant(starts_on), instant(ends)
    local pass = call.db.pass:insert {
        product_id = body.product_id,
        plates = linli.array(body.plates),
        state = "unpaid",
        starts_on = starts_on, ends_on = ends, months = months,
        from = from, to = to,
        month_on = starts_on,
        price_fen = product.fee_fen,
        resident = call.resident and call.resident.id,
        at = call.now,
    }
    each_plate(call, pass, function(kept, id, plate)
        check_room(call, plate, from, to, pass.id)
        kept:insert { id = id, pass_id = pass.id, plate = plate,
            from = from, to = to, active = false, lots = product.lots,
            at = call.now,
            resident = pass.resident }
    end)
    if by_hand then
        return sold_at_desk(call, pass)
    end
    return ask(call, pass, product, false)
end

-- -- renewing, looking ----------------------------------------------------

local function is_own(call, pass)
    if call.caller.kind ~= "resident"
        or pass.resident == call.resident.id then
        return true
    end
    for _, plate in ipairs(pass.plates) do
        if plates.is_own(call, plate, "entry") then
            return true
        end
    end
    return false
end

-- POST /passes/{id}/renew: as many months more, without a gap, also in the
-- days of grace after its end (P30).
function M.renew(call)
    local pass = call.db.pass:get(call.params.id)
    if not pass or not is_own(call, pass) then
        call:fail("parking/pass-unknown")
    end
    local product = product_of(call, pass.product_id)
    local months = pass.months + (product.months or 1)
    local last_on =
        dates.add_days(pass.ends_on, product.grace_days or 0)
    if pass.state ~= "active" or call.now >= instant(last_on)
        or months > MONTHS_MAX then
        call:fail("parking/pass-ended")
    elseif pass.renewing then
        call:fail("parking/payment-pending")
    end
    local to = instant(ends_on(pass, months))
    each_plate(call, pass, function(_, _, plate)
        check_room(call, plate, pass.to, to, pass.id)
    end)
    if call.caller.kind == "resident" then
        return ask(call, pass, product, true)
    elseif not (call.body or {}).reason then
        call:fail("parking/reason-missing")
    end
    pass = run_for(call, pass, months)
    record.audit(call, "pass", { pass_id = pass.id,
        collected_fen = product.fee_fen, reason = call.body.reason })
    return 200, view(call, pass)
end

-- A household's passes: those of its plates, and those it has bought.
function M.list(call)
    local ranges, wanted = {}, call.query.plate
    local function add(index, value)
        ranges[#ranges + 1] = { index = index, eq = { value } }
    end
    if call.caller.kind == "resident" then
        for _, plate in ipairs(plates.own(call, "entry")) do
            add("by_plate_at", plate)
        end
        add("by_resident", call.resident.id)
    elseif wanted then
        add("by_plate_at", wanted)
    else
        ranges[1] = { index = "by_at" }
    end
    local items, next_cursor = page.read(call, "pass_plate", ranges)
    local seen, views = {}, linli.array()
    for _, item in ipairs(items) do
        if not seen[item.pass_id] then
            seen[item.pass_id] = true
            views[#views + 1] =
                view(call, call.db.pass:get(item.pass_id))
        end
    end
    return 200, { items = views, next_cursor = next_cursor }
end

return M
