-- sessions.lua: the life of a session, from entry to its end. The rules are
-- numbered statements of spec/parking.md, cited here as P1, P2 ...
--
-- Functions that decide return a verdict; whoever asked tells the gate.

local arrears = require "arrears"
local bookings = require "bookings"
local family = require "family"
local linli = require "linli"
local passes = require "passes"
local paying = require "paying"
local plates = require "plates"
local record = require "record"
local tariff = require "tariff"
local tariffs = require "tariffs"
local texts = require "texts"
local trail = require "trail"

local M = {}

-- Two shots of one plate at one gate within so long are one passage (P6).
M.SAME_SHOT_MS = 120 * linli.second

-- A session that is open for longer is told to the operator (P21).
M.STALE_MS = 72 * linli.hour

M.OPEN = { inside = true, paid = true }
M.STATES = { inside = true, paid = true, left = true, closed = true,
    denied = true, no_entry = true, merged = true }

---@class parking.Passage  a car at a gate
---@field gate string
---@field event_id string?  nil if no device saw it
---@field lot string
---@field plate string
---@field plate_type string
---@field at integer
---@field flagged boolean    the camera's clock is off
---@field offline boolean    the car has passed, whatever is decided
---@field lists parking.Lists
---@field resident string?   who scanned, for a car without a plate

---@class parking.Verdict
---@field action "open"|"hold"|"deny"
---@field reason string
---@field due_fen integer
---@field duplicate boolean
---@field session table?

---@return parking.Verdict
local function verdict(action, reason, session, due_fen)
    return { action = action, reason = reason, session = session,
        due_fen = due_fen or 0, duplicate = false }
end

---@return parking.Verdict
local function again(given)
    given.duplicate = true
    return given
end

local function near(a, b)
    return math.abs(a - b) <= M.SAME_SHOT_MS
end

local function stale_key(session)
    return "stale/" .. session.id
end

-- Of the timer at the end of the grace.
function M.grace_key(session)
    return "grace/" .. session.id
end

local function anomaly(call, kind, passage, session)
    record.anomaly(call, kind, {
        session_id = session and session.id,
        gate = passage.gate,
        event_id = passage.event_id,
        plate = passage.plate,
        at = passage.at,
        resident = session and session.resident,
    })
end

-- What is remembered of an exit. Without an event it was scanned.
local function exit_of(passage)
    return { gate = passage.gate, at = passage.at,
        event_id = passage.event_id, offline = passage.offline }
end

-- -- what a session owes --------------------------------------------------

-- Whether the plate makes the stay free, and why: an operator's list, or the
-- tariff's special plates (P10).
---@param lists parking.Lists
---@param plate string
---@param rules parking.Tariff
function M.standing(lists, plate, rules)
    return {
        special = lists:has("special", plate)
            or tariff.is_special(rules, plate),
        free = lists:has("allow", plate),
    }
end

-- The quote for leaving at `at`. Before the entry, by a clock that is behind,
-- is at the entry; what lies past the longest stay is not charged. `coupons`
-- come after those that the session has used.
---@param call linli.Call
---@param session table
---@param at integer
---@param coupons parking.Coupon[]?
---@return parking.Quote
function M.price(call, session, at, coupons)
    local from = session.entered_at
    local booked, booked_until = bookings.covers(call, session)
    local pass_until = passes.covers_until(call, session, at) or from
    local used = table.move(session.coupons or {}, 1,
        #(session.coupons or {}), 1, {})
    return tariff.quote(session.tariff, {
        entered_at = from,
        left_at = math.max(from, math.min(at, from + tariff.STAY_MS_MAX)),
        plate = session.plate,
        pass_until = math.max(pass_until, booked_until or from),
        coupons = table.move(coupons or {}, 1, #(coupons or {}), #used + 1,
            used),
        paid_fen = session.paid_fen,
        leave_before = session.leave_before,
        special = session.special,
        free = session.free or booked,
    }, linli.time)
end

-- What the stay up to `at` costs above what was paid, whatever the grace.
---@param call linli.Call
---@param session table
---@param at integer
---@param coupons parking.Coupon[]
---@return integer
function M.unpaid_fen(call, session, at, coupons)
    local quote = M.price(call, session, at, coupons)
    return math.max(0,
        quote.gross_fen - quote.discount_fen - quote.paid_fen)
end

---@param session table
---@return integer
function M.lost_fee_fen(session)
    if session.special or session.free then
        return 0
    end
    return math.tointeger(session.tariff.lost_fee_fen
        or tariff.DEFAULTS.lost_fee_fen)
end

-- -- looking --------------------------------------------------------------

-- An exit that was seen at or after `from` and has found no entry yet.
---@param call linli.Call
---@param plate string
---@param from integer
---@return table?
function M.pending(call, plate, from)
    local found = call.db.session:list { index = "by_plate_state",
        eq = { plate, "no_entry" }, from = { from }, limit = 1 }
    return found[1]
end

-- The session that ends with this exit. Of a passage that is told late it is
-- the last one that had begun by then, which a later entry may have overtaken
-- (P16).
local function leaving(call, passage)
    local open = call.db.session:find("open_plate", passage.plate)
    if not passage.offline or open and open.at <= passage.at then
        return open
    end
    local last
    for state in pairs(M.OPEN) do
        local begun = call.db.session:list { index = "by_plate_state",
            eq = { passage.plate, state }, to = { passage.at + 1 },
            descending = true, limit = 1 }
        local newer = begun[1] and (not last or begun[1].at > last.at)
        last = newer and begun[1] or last
    end
    return last
end

-- The last offline entry that had to wait (P16) and this exit may end: later
-- than the session, if there is one, and no staler than a session gets.
local function waiting(call, passage, session)
    local from = passage.at - M.STALE_MS
    local found = call.db.gate_event:list { index = "by_waiting",
        eq = { passage.plate },
        from = { math.max(from, session and session.at or from) },
        to = { passage.at + 1 }, descending = true, limit = 1 }
    return found[1]
end

-- The session of the same passage, if the exit was seen a moment ago at the
-- same gate.
local function just_seen(call, passage)
    local found = call.db.session:list { index = "by_plate",
        eq = { passage.plate }, to = { passage.at + M.SAME_SHOT_MS + 1 },
        descending = true, limit = 1 }
    local exit = found[1] and found[1].exit
    local same = exit and exit.gate == passage.gate
        and near(exit.at, passage.at)
    return same and found[1] or nil
end

-- -- beginning ------------------------------------------------------------

-- A session of the passage, not stored yet. It keeps the tariff of its
-- beginning, whatever becomes of the lot's.
local function draft(call, passage, state)
    local kept = tariffs.current(call, passage.lot)
    return {
        state = state,
        lot = passage.lot,
        plate = passage.plate,
        plate_type = passage.plate_type,
        at = passage.at,
        paid_fen = 0,
        tariff = kept.tariff,
        tariff_version = kept.version,
        resident = passage.resident,
    }
end

-- What the plate has that pays for a stay from its entry: a pass that no
-- other of its cars uses, a shared space that it has booked.
---@param call linli.Call
---@param session table  changed
function M.cover(call, session)
    session.pass_id = passes.at_entry(call, session)
    session.booking_id = bookings.at_entry(call, session)
end

-- An entry begins a session. One that a later entry has overtaken leaves the
-- plate's place to it. Nothing if the place is taken.
local function begin(call, passage, overtaken)
    local session = draft(call, passage, "inside")
    local standing =
        M.standing(passage.lists, passage.plate, session.tariff)
    session.special, session.free = standing.special, standing.free
    session.entered_at = passage.at
    M.cover(call, session)
    session.entry = { gate = passage.gate, event_id = passage.event_id,
        flagged = passage.flagged, offline = passage.offline }
    session.open_plate = not overtaken and passage.plate or nil
    session.open_scanner = passage.resident
    session = call.db.session:insert(session)
    if session then
        call:timer { at = passage.at + M.STALE_MS, run = "stale_session",
            with = { id = session.id }, key = stale_key(session),
            subject = session.resident }
        family.entered(call, session)
    end
    return session
end

-- An entry that had to wait begins its session. Of two open ones the later
-- has the plate's place.
local function place(call, event, lists)
    local open = call.db.session:find("open_plate", event.plate)
    local overtaken = open and open.at > event.at
    if open and not overtaken then
        call.db.session:patch(open.id, { open_plate = linli.null })
    end
    local session = begin(call, { gate = event.gate,
        event_id = event.event_id, lot = event.lot, plate = event.plate,
        plate_type = event.plate_type, at = event.at,
        flagged = event.flagged, offline = true, lists = lists }, overtaken)
    call.db.gate_event:patch(event.id,
        { waiting = linli.null, session_id = session.id })
    return session
end

local function already_inside(call, passage, open)
    if open.entry.gate == passage.gate and near(open.at, passage.at) then
        return again(verdict("open", "entered", open))
    end
    anomaly(call, "already_inside", passage, open)
    return verdict("hold", "already_inside", open)
end

local function deny(call, passage)
    local denied = draft(call, passage, "denied")
    denied.ended_at = math.min(passage.at, call.now)
    return verdict("deny", "denied", call.db.session:insert(denied))
end

-- The plate's open session. One whose gate was opened when it was paid has
-- left by that gate, if its car comes again (P26).
local function still_inside(call, passage)
    local open = call.db.session:find("open_plate", passage.plate)
    local out = open and open.let_out
    if out and passage.at > out.at then
        M.end_stay(call, open, { gate = out.gate, at = out.at },
            M.price(call, open, out.at))
        return nil
    end
    return open
end

-- An entry (P5 to P9).
---@param call linli.Call
---@param passage parking.Passage
---@return parking.Verdict
function M.enter(call, passage)
    local open = still_inside(call, passage)
    local overtaken = open and passage.offline
        and passage.at < open.at - M.SAME_SHOT_MS
    if open and not overtaken then
        return already_inside(call, passage, open)
    end
    local denied = passage.lists:has("deny", passage.plate)
    if denied and not passage.offline then
        return deny(call, passage)
    end
    local session = begin(call, passage, overtaken)
    if not session then -- another entry of the plate was first
        open = call.db.session:find("open_plate", passage.plate)
        return already_inside(call, passage, open)
    end
    if denied then
        anomaly(call, "denied_inside", passage, session)
    end
    local pending = passage.offline
        and M.pending(call, passage.plate, passage.at)
    if pending then
        return M.merge(call, pending, session)
    end
    return verdict("open", "entered", session)
end

-- -- ending ---------------------------------------------------------------

-- Ends a session: it gives the plate free, is counted, and is no longer
-- looked after. `changes` are patched in; retention runs from `ended_at`.
---@param call linli.Call
---@param session table
---@param state "left"|"closed"
---@param changes table
---@return table
function M.finish(call, session, state, changes)
    changes.state = state
    changes.open_plate = linli.null
    changes.open_scanner = linli.null
    call:cancel(stale_key(session))
    if session.leave_before then
        call:cancel(M.grace_key(session))
    end
    record.count(call, "parking.session_closed", session.id,
        changes.ended_at)
    return (call.db.session:patch(session.id, changes))
end

-- A stay ends at an exit (P11, P15); what was paid above its price, as for a
-- later end than it had, goes back.
---@param call linli.Call
---@param session table
---@param exit {gate: string, at: integer, event_id: string?,
---            offline: boolean?}
---@param quote parking.Quote  for leaving then
---@return table session
function M.end_stay(call, session, exit, quote)
    local fee_fen = quote.gross_fen - quote.discount_fen
    local left_at = math.max(session.entered_at, exit.at)
    local over_fen = session.paid_fen - fee_fen
    if over_fen > 0 then
        paying.give_back(call, session.id, over_fen, texts.OVERPAID)
    end
    local left = M.finish(call, session, "left", {
        exit = exit,
        left_at = left_at,
        fee_fen = fee_fen,
        paid_fen = over_fen > 0 and fee_fen or nil,
        let_out = linli.null,
        ended_at = math.min(left_at, call.now),
    })
    if session.booking_id then
        bookings.left(call, session.booking_id, left_at)
    end
    return left
end

-- The exit of an open session (P11, P12, P15). A grace that was missed is
-- over, also if its timer has not run yet.
---@param call linli.Call
---@param session table
---@param passage parking.Passage
---@return parking.Verdict
function M.leave(call, session, passage)
    local quote, exit = M.price(call, session, passage.at), exit_of(passage)
    local due_fen = quote.due_fen
    if due_fen > 0 and not passage.offline then
        local held = call.db.session:patch(session.id,
            { exit = exit, state = "inside", let_out = linli.null })
        return verdict("hold", "payment_due", held, due_fen)
    end
    local left = M.end_stay(call, session, exit, quote)
    if due_fen > 0 then
        arrears.add(call, left, due_fen)
        return verdict("open", "arrears", left, due_fen)
    end
    return verdict("open", "left", left)
end

-- An exit that has no entry (P13): kept until staff settle it or its entry is
-- found. It is not an open session.
local function no_entry(call, passage)
    local pending = draft(call, passage, "no_entry")
    local standing =
        M.standing(passage.lists, passage.plate, pending.tariff)
    pending.special, pending.free = standing.special, standing.free
    pending.exit = exit_of(passage)
    pending.ended_at = math.min(passage.at, call.now)
    pending = call.db.session:insert(pending)
    anomaly(call, "no_entry", passage, pending)
    return verdict("hold", "no_entry", pending, M.lost_fee_fen(pending))
end

-- What is said of a session whose exit was seen before: as things are now.
---@param call linli.Call
---@param session table
---@return parking.Verdict
function M.exit_again(call, session)
    if session.state == "merged" then
        session = call.db.session:get(session.merged_into) or session
    end
    if session.state == "no_entry" then
        return again(verdict("hold", "no_entry", session,
            M.lost_fee_fen(session)))
    elseif M.OPEN[session.state] then
        return again(M.leave(call, session, session.exit))
    end
    return again(verdict("open",
        session.state == "closed" and "closed" or "left", session))
end

-- An exit (P11 to P16).
---@param call linli.Call
---@param passage parking.Passage
---@return parking.Verdict
function M.exit(call, passage)
    local session = leaving(call, passage)
    local entry = waiting(call, passage, session)
    if entry then
        session = place(call, entry, passage.lists)
    end
    if session then
        if session.lot ~= passage.lot then
            anomaly(call, "other_lot", passage, session)
        end
        return M.leave(call, session, passage)
    end
    local seen = just_seen(call, passage)
    if seen then
        -- A car that stands at the gate is seen again and again.
        call.db.session:patch(seen.id, { exit = { at = passage.at } })
        return M.exit_again(call, seen)
    end
    return no_entry(call, passage)
end

-- The entry of a pending exit is found (P14): the exit is the session's.
---@param call linli.Call
---@param pending table
---@param session table
---@return parking.Verdict
function M.merge(call, pending, session)
    call.db.session:patch(pending.id,
        { state = "merged", merged_into = session.id })
    return M.leave(call, session, pending.exit)
end

-- The timer of P21.
---@param call linli.Call
---@param with {id: string}
function M.stale(call, with)
    local session = call.db.session:get(with.id)
    if not session or not M.OPEN[session.state] then
        return
    end
    local driver = trail.driver(call, session)
    if not driver or trail.may(call, driver, "safety_monitoring") then
        record.anomaly(call, "stale_session", {
            session_id = session.id,
            gate = session.entry.gate,
            plate = session.plate,
            at = session.entered_at,
            resident = session.resident,
        })
    end
end

-- -- answering ------------------------------------------------------------

local function format(ms)
    return ms and linli.time.format(ms)
end

local function closed_view(call, closed)
    if not closed then
        return nil
    end
    local view = { kind = closed.kind, fee_fen = closed.fee_fen,
        collected_fen = closed.collected_fen }
    if call.caller.kind ~= "resident" then
        view.reason, view.by = closed.reason, closed.by
    end
    return view
end

-- A session as its caller may see it: residents get the plate masked.
---@param call linli.Call
---@param session table
---@return table
function M.view(call, session)
    local exit = session.exit or {}
    return {
        id = session.id,
        lot = session.lot,
        state = session.state,
        plate = call.caller.kind ~= "resident" and session.plate or nil,
        plate_masked = plates.mask(session.plate),
        plate_type = session.plate_type,
        entered_at = format(session.entered_at),
        exit_seen_at = format(exit.at),
        exit_gate = exit.gate,
        left_at = format(session.left_at),
        fee_fen = session.fee_fen,
        paid_fen = session.paid_fen,
        refunded_fen = session.refunded_fen,
        leave_before = session.state == "paid"
            and format(session.leave_before) or nil,
        tariff_version = session.tariff_version,
        special = session.special == true,
        free = session.free == true,
        temporary = session.resident ~= nil,
        pass_id = session.pass_id,
        booking_id = session.booking_id,
        closed = closed_view(call, session.closed),
        merged_into = session.merged_into,
    }
end

-- The session of the path, if the caller may know of it.
---@param call linli.Call
---@return table
function M.of_path(call)
    local session = call.db.session:get(call.params.id)
    if not session or not plates.visible(call, session) then
        call:fail("parking/session-not-found")
    end
    return session
end

return M
