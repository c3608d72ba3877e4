-- desk.lua: what staff and operators do to sessions by hand. Each act has a
-- reason and is kept (record.audit).

local board = require "board"
local bookings = require "bookings"
local gates = require "gates"
local linli = require "linli"
local lists = require "lists"
local plates = require "plates"
local record = require "record"
local sessions = require "sessions"

local M = {}

-- The session of the path, unless it has ended.
local function unsettled(call)
    local session = sessions.of_path(call)
    if not sessions.OPEN[session.state] and session.state ~= "no_entry" then
        call:fail("parking/session-ended")
    end
    return session
end

-- The gate where the car waits: the one named, or the one that held it.
local function waits_at(session, named)
    local exit = session.exit
    return named or exit and not exit.offline and exit.gate or nil
end

-- P17. Forced owes nothing; otherwise the fee for a lost entry is collected,
-- or waived.
function M.close(call)
    local session, body = unsettled(call), call.body
    if body.gate then
        gates.find(call, body.gate)
    end
    local fee_fen = body.kind ~= "forced" and sessions.lost_fee_fen(session)
        or 0
    local collected_fen = body.waive and 0 or fee_fen
    local gate = waits_at(session, body.gate)
    session = sessions.finish(call, session, "closed", {
        closed = {
            kind = body.kind,
            reason = body.reason,
            fee_fen = fee_fen,
            collected_fen = collected_fen,
            at = call.now,
            by = { kind = call.caller.kind, id = call.caller.id },
        },
        ended_at = call.now,
    })
    if session.booking_id then
        bookings.left(call, session.booking_id, call.now)
    end
    if gate then
        gates.command(call, gate, "open",
            { reason = "closed", session = session })
    end
    board.changed(call, session.lot)
    record.audit(call, "close", {
        session_id = session.id, gate = gate, kind = body.kind,
        fee_fen = fee_fen, collected_fen = collected_fen,
        reason = body.reason,
    })
    return 200, sessions.view(call, session)
end

-- Gives the session its plate; lists, passes and bookings are asked anew.
local function rename(call, session, plate)
    local standing =
        sessions.standing(lists.open(call), plate, session.tariff)
    local changes = { plate = plate, special = standing.special,
        free = standing.free }
    if session.state ~= "no_entry" then
        local anew = { id = session.id, plate = plate, lot = session.lot,
            entered_at = session.entered_at }
        sessions.cover(call, anew)
        changes.pass_id = anew.pass_id or linli.null
        changes.booking_id = anew.booking_id or linli.null
        changes.open_plate = session.open_plate and plate or nil
    end
    return (call.db.session:patch(session.id, changes))
end

-- The plate of an exit without entry: its entry may be that of an open
-- session, which must have begun before.
local function correct_exit(call, pending, other)
    if other and other.at > pending.exit.at then
        call:fail("parking/plate-inside")
    end
    pending = rename(call, pending, call.body.plate)
    return other and sessions.merge(call, pending, other), pending
end

-- The plate of an open session: an exit of that plate may be waiting for it.
local function correct_entry(call, session, other)
    if other and other.id ~= session.id then
        call:fail("parking/plate-inside")
    end
    session = rename(call, session, call.body.plate)
    local pending = sessions.pending(call, session.plate, session.at)
    return pending and sessions.merge(call, pending, session), session
end

-- P14.
function M.correct_plate(call)
    local session, plate = unsettled(call), call.body.plate
    local before = session.plate
    local other = call.db.session:find("open_plate", plate)
    local correct = session.state == "no_entry" and correct_exit
        or correct_entry
    local verdict
    verdict, session = correct(call, session, other)
    if verdict then
        session = verdict.session
        local gate = waits_at(session)
        if gate and verdict.action == "open" then
            gates.command(call, gate, "open", verdict)
        end
    end
    board.changed(call, session.lot)
    record.audit(call, "correct_plate", {
        session_id = session.id,
        from = plates.mask(before), to = plates.mask(plate),
        reason = call.body.reason,
    })
    local view = sessions.view(call, session)
    view.action = verdict and verdict.action
    view.reason = verdict and verdict.reason
    view.due_fen = verdict and verdict.due_fen
    return 200, view
end

return M
