-- bookings.lua: the life of a booking of a shared space, from its payment to
-- the owner's share (spec/parking.md, P34 to P39).
--
-- unpaid -> paid -> parking -> finished | overdue_unpaid -> overdue_paid;
-- expired | cancelled. While it holds its space it has held_from, held_to.

local linli = require "linli"
local page = require "page"
local paying = require "paying"
local plates = require "plates"
local record = require "record"
local texts = require "texts"

local M = {}

local PAY_MS = 6 * linli.minute
local EARLY_MS = 15 * linli.minute -- a car may come through the gate before
local OUT_MS = 15 * linli.minute -- and through the other gate after
local OVERDUE_FACTOR = 2
local CODES = 10000

M.LIVE = { unpaid = true, paid = true, parking = true }

-- -- whose space, until when ----------------------------------------------

-- Whether the space is held in a part of the time.
---@param call linli.Call
---@param space_id string
---@param from integer
---@param to integer
---@return boolean
function M.taken(call, space_id, from, to)
    return call.db.booking:overlaps("by_space", space_id, from, to) ~= nil
end

---@param call linli.Call
---@param share_id string
---@return boolean
function M.live_of_share(call, share_id)
    for state in pairs(M.LIVE) do
        if call.db.booking:find("by_share", share_id, state) then
            return true
        end
    end
    return false
end

-- The booking that a car at a gate of the lot has come for (P39).
---@param call linli.Call
---@param session {plate: string, lot: string, entered_at: integer}
---@return string?
function M.at_entry(call, session)
    local at = session.entered_at
    for _, booking in ipairs(call.db.booking:overlapping("by_plate",
        session.plate, at, at + EARLY_MS + 1)) do
        if booking.lot == session.lot and booking.state ~= "unpaid" then
            return booking.id
        end
    end
end

-- Whether a session's booking pays for all of it, or until when: until the
-- space is left, and so long as it takes to drive out. One that is cancelled
-- pays for nothing.
---@param call linli.Call
---@param session {booking_id: string?}
---@return boolean all, integer? covered_until
function M.covers(call, session)
    local booking = session.booking_id
        and call.db.booking:get(session.booking_id)
    if not booking or booking.state == "cancelled" then
        return false
    elseif M.LIVE[booking.state] then
        return true
    end
    return false, booking.left_at + OUT_MS
end

-- -- what it costs --------------------------------------------------------

local function hours(ms)
    return (ms + linli.hour - 1) // linli.hour
end

local function owner_part(fen)
    local bp = (linli.config.shares or {}).owner_share_bp or 0
    return linli.money.bp(fen, math.tointeger(bp))
end

-- Overdue hours are started ones, at twice the price; the owner's part of all
-- is rounded down.
local function account(booking, left_at)
    local late_ms = math.max(0, left_at - booking.to)
    local overdue_fen = hours(late_ms) * booking.price_fen_per_hour
        * OVERDUE_FACTOR
    local sum_fen = booking.amount_fen + overdue_fen
    local owner_fen = owner_part(sum_fen)
    return { base_fen = booking.amount_fen, overdue_fen = overdue_fen,
        owner_fen = owner_fen, operator_fen = sum_fen - owner_fen }
end

-- -- answering ------------------------------------------------------------

local function format(ms)
    return ms and linli.time.format(ms)
end

-- The code is the booker's; the owner of the space sees neither it nor the
-- whole plate.
local function view(call, booking)
    local own = call.caller.kind == "resident"
        and booking.resident == call.resident.id
    local by_hand = call.caller.kind ~= "resident"
    return {
        id = booking.id,
        share_id = booking.share_id,
        space_id = booking.space_id,
        lot = booking.lot,
        state = booking.state,
        from = format(booking.from),
        to = format(booking.to),
        plate = (own or by_hand) and booking.plate or nil,
        plate_masked = plates.mask(booking.plate),
        amount_fen = booking.amount_fen,
        pay_by = format(booking.pay_by),
        open_code = own and booking.open_code or nil,
        arrived_at = format(booking.arrived_at),
        left_at = format(booking.left_at),
        base_fen = booking.base_fen,
        overdue_fen = booking.overdue_fen,
        owner_fen = booking.owner_fen,
        operator_fen = booking.operator_fen,
        refunded_fen = booking.refunded_fen,
    }
end

-- GET /bookings: those that the caller has made, or with ?owner=true those of
-- the caller's spaces; the operator's are all.
function M.list(call)
    local range = { index = "by_at" }
    if call.caller.kind == "resident" then
        local index = call.query.owner == "true" and "by_owner"
            or "by_resident"
        range = { index = index, eq = { call.resident.id } }
    end
    return 200, page.answer(call, "booking", { range }, view)
end

local function of_path(call)
    local booking = call.db.booking:get(call.params.id)
    local own = booking and (call.caller.kind ~= "resident"
        or booking.resident == call.resident.id)
    return own and booking or call:fail("parking/booking-unknown")
end

-- While a space is shared, the two can telephone each other, by a number that
-- tells neither who the other is (P47).
local function relay(call, resident, purpose)
    return (call.data:get { resident = resident, field = "phone_relay",
        purpose = purpose })
end

local SHARING = { paid = true, parking = true }

function M.get(call)
    local booking = call.db.booking:get(call.params.id)
    local owner = booking and call.caller.kind == "resident"
        and booking.owner == call.resident.id
    booking = owner and booking or of_path(call)
    local found = view(call, booking)
    if call.caller.kind == "resident" and SHARING[booking.state] then
        found.driver_relay = owner
            and relay(call, booking.resident, "service") or nil
        found.owner_relay = not owner
            and relay(call, booking.owner, "entry") or nil
    end
    return 200, found
end

local function audit(call, action, booking)
    if call.caller.kind == "resident" then
        return
    elseif not (call.body or {}).reason then
        call:fail("parking/reason-missing")
    end
    record.audit(call, action, { booking_id = booking.id,
        reason = call.body.reason })
end

-- -- booking --------------------------------------------------------------

-- Who has stayed too long and not paid for it books nothing (P37).
local function check_debts(call)
    for _, of in ipairs { { "by_resident_state", call.resident.id },
        { "by_plate_state", call.body.plate } } do
        if call.db.booking:find(of[1], of[2], "overdue_unpaid") then
            call:fail("parking/overdue-unpaid")
        end
        for _, stays in ipairs(call.db.booking:list { index = of[1],
            eq = { of[2], "parking" }, limit = 100 }) do
            if stays.to < call.now then
                call:fail("parking/overdue-unpaid")
            end
        end
    end
end

---@param call linli.Call
---@param share table
---@param from integer
---@param to integer
function M.book(call, share, from, to)
    check_debts(call)
    if M.taken(call, share.space_id, from, to) then
        call:fail("parking/space-taken")
    end
    local amount_fen = hours(to - from) * share.price_fen_per_hour
    local booking = call.db.booking:insert {
        share_id = share.id,
        space_id = share.space_id,
        lot = share.lot,
        owner = share.resident,
        resident = call.resident.id,
        plate = call.body.plate,
        state = "unpaid",
        from = from, to = to,
        held_from = from, held_to = to,
        price_fen_per_hour = share.price_fen_per_hour,
        amount_fen = amount_fen,
        pay_by = call.now + PAY_MS,
        open_code = string.format("%04d", math.random(0, CODES - 1)),
        at = call.now,
    }
    call:timer { at = booking.pay_by, run = "booking_expiry",
        with = { id = booking.id }, key = "expire/" .. booking.id,
        subject = booking.resident }
    local payment = paying.begin(call, { kind = "booking", of = booking.id,
        amount_fen = amount_fen, title = texts.title "booking",
        pay_by = booking.pay_by })
    booking = call.db.booking:patch(booking.id, { payment_id = payment.id })
    return paying.answer(call, payment, function()
        return view(call, call.db.booking:get(booking.id))
    end)
end

-- It holds its space no more.
local function release(call, booking, state, changes)
    changes = changes or {}
    changes.state = state
    changes.held_from, changes.held_to = linli.null, linli.null
    changes.settled_at = state ~= "overdue_unpaid" and call.now or nil
    call:cancel("expire/" .. booking.id)
    call:cancel("end/" .. booking.id)
    return (call.db.booking:patch(booking.id, changes))
end

-- The timer at `pay_by`. A payment that was accepted before it is about to be
-- told.
---@param call linli.Call
---@param with {id: string}
function M.expire(call, with)
    local booking = call.db.booking:get(with.id)
    local told = booking and booking.state == "unpaid"
        and call:payment(booking.payment_id)
    if told and told.state ~= "paid" then
        release(call, booking, "expired")
    end
end

paying.kind("booking", {
    accepted = function(call, payment)
        local booking = call.db.booking:get(payment.of)
        if booking.state ~= "unpaid" then
            return 0
        end
        call:cancel("expire/" .. booking.id)
        call.db.booking:patch(booking.id, { state = "paid" })
        call:timer { at = booking.to, run = "booking_end",
            with = { id = booking.id }, key = "end/" .. booking.id,
            subject = booking.resident }
        record.count(call, "parking.share_booking", booking.id,
            payment.paid_at)
        return payment.amount_fen
    end,
    released = function(call, payment)
        local booking = call.db.booking:get(payment.of)
        if booking.state == "unpaid" then
            release(call, booking, "expired")
        end
    end,
})

-- POST /bookings/{id}/cancel: all of it goes back, before the booked time.
function M.cancel(call)
    local booking = of_path(call)
    local begun = booking.state == "paid" and call.now >= booking.from
    if begun or booking.state ~= "unpaid" and booking.state ~= "paid" then
        call:fail("parking/booking-state")
    end
    audit(call, "booking_cancel", booking)
    local paid = booking.state == "paid"
    if paid then
        paying.give_back(call, booking.id, booking.amount_fen,
            texts.CANCELLED)
    end
    booking = release(call, booking, "cancelled",
        { refunded_fen = paid and booking.amount_fen or 0 })
    return 200, view(call, booking)
end

-- -- parking --------------------------------------------------------------

-- Staff at the space are told the code by the driver.
local function check_code(call, booking)
    local given = (call.body or {}).open_code
    if given == nil and call.caller.kind == "resident" then
        return
    end
    local said = call:try_code("booking:" .. booking.id, given or "",
        booking.open_code)
    if said == "locked" then
        call:fail("parking/code-locked")
    elseif said == "wrong" then
        call:fail("parking/code-wrong")
    end
end

-- Tells the lock of the space. It may be out of reach: the command lapses,
-- what is booked does not depend on it (P36).
local function command(call, booking, what)
    call:event("parking.space_command", {
        space = booking.space_id,
        command = what,
        booking_id = booking.id,
        at = format(call.now),
        expires_at = format(call.now + linli.minute),
    }, { subject = booking.resident })
end

-- A stay whose booking is over goes on as this one.
local function take_over(call, booking)
    local session = call.db.session:find("open_plate", booking.plate)
    local before = session and session.lot == booking.lot
        and session.booking_id and call.db.booking:get(session.booking_id)
    if before and not M.LIVE[before.state]
        and booking.from <= before.left_at + OUT_MS then
        call.db.session:patch(session.id, { booking_id = booking.id })
    end
end

-- POST /bookings/{id}/arrive.
function M.arrive(call)
    local booking = of_path(call)
    if booking.state ~= "paid" then
        call:fail("parking/booking-state")
    elseif call.now < booking.from then
        call:fail("parking/too-early")
    end
    check_code(call, booking)
    booking = call.db.booking:patch(booking.id,
        { state = "parking", arrived_at = call.now })
    take_over(call, booking)
    command(call, booking, "open")
    return 200, view(call, booking)
end

local function settle(call, booking)
    call:job { run = "share_settlement", with = { id = booking.id },
        key = "settle/" .. booking.id .. "/" .. booking.state,
        subject = booking.owner }
end

-- It is over, at `left_at`; what is owed for the time past its end is the
-- driver's debt.
local function finish(call, booking, left_at)
    local sums = account(booking, left_at)
    sums.left_at = left_at
    local late = sums.overdue_fen > 0
    booking = release(call, booking,
        late and "overdue_unpaid" or "finished", sums)
    settle(call, booking)
    return booking
end

-- POST /bookings/{id}/leave.
function M.leave(call)
    local booking = of_path(call)
    if booking.state ~= "parking" then
        call:fail("parking/booking-state")
    end
    audit(call, "booking_leave", booking)
    booking = finish(call, booking, call.now)
    command(call, booking, "close")
    return 200, view(call, booking)
end

-- The car went through a gate of the lot: it is not in the space any more.
---@param call linli.Call
---@param id string
---@param at integer
function M.left(call, id, at)
    local booking = call.db.booking:get(id)
    if booking and booking.state == "parking" then
        finish(call, booking, at)
    end
end

-- The stay that it pays for, if the car is in the car park, whether or not its
-- driver has said so.
local function stay_of(call, booking)
    local session = call.db.session:find("open_plate", booking.plate)
    return session and session.booking_id == booking.id and session or nil
end

-- The car's next booking of the space, from the end of this one on.
local function next_of(call, booking)
    for _, other in ipairs(call.db.booking:overlapping("by_plate",
        booking.plate, booking.to, booking.to + 1)) do
        if other.space_id == booking.space_id and other.state == "paid" then
            return other
        end
    end
end

-- It goes on as its next booking: nothing is overdue.
local function hand_on(call, booking, other, stay)
    finish(call, booking, booking.to)
    if booking.state == "parking" then
        call.db.booking:patch(other.id,
            { state = "parking", arrived_at = other.from })
    end
    if stay then
        call.db.session:patch(stay.id, { booking_id = other.id })
    end
end

-- The timer at the end of the booked time: who never came has had the space;
-- who is still there is told, and so is the operator.
---@param call linli.Call
---@param with {id: string}
function M.ends(call, with)
    local booking = call.db.booking:get(with.id)
    local live = booking
        and (booking.state == "paid" or booking.state == "parking")
    if not live then
        return
    end
    local stay, other = stay_of(call, booking), next_of(call, booking)
    if other then
        return hand_on(call, booking, other, stay)
    elseif booking.state == "paid" and not stay then
        finish(call, booking, booking.to)
        return
    end
    call.db.booking:patch(booking.id, { state = "parking",
        arrived_at = booking.arrived_at or booking.from })
    record.anomaly(call, "share_overstay", { booking_id = booking.id,
        plate = booking.plate, at = booking.to,
        resident = booking.resident })
    call:notify { to = booking.resident, template = "share_overdue",
        with = { space = booking.space_id },
        key = "overdue/" .. booking.id }
end

-- -- the time past its end ------------------------------------------------

-- POST /bookings/{id}/payments: what is owed for it.
function M.pay(call)
    local booking = of_path(call)
    if booking.state ~= "overdue_unpaid" then
        call:fail("parking/nothing-due")
    end
    local payment = paying.begin(call, { kind = "overdue", of = booking.id,
        amount_fen = booking.overdue_fen, title = texts.title "overdue" })
    return paying.answer(call, payment, function()
        return { booking_id = booking.id }
    end)
end

paying.kind("overdue", {
    accepted = function(call, payment)
        local booking = call.db.booking:get(payment.of)
        if booking.state ~= "overdue_unpaid" then
            return 0
        end
        booking = call.db.booking:patch(booking.id,
            { state = "overdue_paid", settled_at = call.now })
        settle(call, booking)
        return payment.amount_fen
    end,
    released = function() end, -- it is owed as before
})

-- -- the owner's part -----------------------------------------------------

-- The job of a booking that is over: its price when it is over, the rest when
-- the overdue time is paid. The parts sum to what leave has said (P38).
---@param call linli.Call
---@param with {id: string}
function M.settlement(call, with)
    local booking = call.db.booking:get(with.id)
    local kept = call.db.settlement:get(booking.id)
        or { owner_fen = 0, operator_fen = 0 }
    local sum_fen = booking.base_fen
    if booking.state == "overdue_paid" then
        sum_fen = sum_fen + booking.overdue_fen
    end
    local owner_fen = booking.owner_fen
    if booking.state == "overdue_unpaid" then
        owner_fen = math.min(owner_part(sum_fen), owner_fen)
    end
    call.db.settlement:put {
        id = booking.id,
        space_id = booking.space_id,
        owner = booking.owner,
        owner_fen = math.max(kept.owner_fen, owner_fen),
        operator_fen = math.max(kept.operator_fen, sum_fen - owner_fen),
        at = booking.left_at,
    }
end

local function settlement_view(_, item)
    return { booking_id = item.id, space_id = item.space_id,
        owner_fen = item.owner_fen, operator_fen = item.operator_fen,
        at = format(item.at) }
end

-- GET /settlements: the owner's, or all.
function M.settlements(call)
    local range = { index = "by_at" }
    if call.caller.kind == "resident" then
        range = { index = "by_owner", eq = { call.resident.id } }
    end
    return 200, page.answer(call, "settlement", { range }, settlement_view)
end

return M
