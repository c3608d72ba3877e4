-- gates.lua: what cameras tell, what gates are told. Rules: spec/parking.md.

local board = require "board"
local linli = require "linli"
local lists = require "lists"
local record = require "record"
local sessions = require "sessions"
local texts = require "texts"

local M = {}

-- A camera's clock is believed within so much of the receipt (P3).
local CLOCK_MS = 5 * linli.minute

-- A command is of no use to a car that is not there any more.
local COMMAND_MS = linli.minute

-- The configured gate; it must take cars that go in `direction`, if given.
---@param call linli.Call
---@param id string
---@param direction "entry"|"exit"|nil
---@return {lot: string, direction: string?}
function M.find(call, id, direction)
    local gate = (linli.config.gates or {})[id]
    if not gate then
        call:fail("parking/gate-unknown")
    end
    if direction and not M.takes(gate, direction) then
        call:fail("parking/gate-direction")
    end
    return gate
end

function M.takes(gate, direction)
    local own = gate.direction or "both"
    return own == "both" or own == direction
end

-- Tells a gate to do something, through its feed.
---@param call linli.Call
---@param gate string
---@param command "open"|"display"
---@param why {reason: string, due_fen: integer?, session: table?,
---            event_id: string?}
function M.command(call, gate, command, why)
    local session = why.session or {}
    call:event("parking.gate_command", {
        gate = gate,
        command = command,
        reason = why.reason,
        display_text = texts.display(why.reason, why.due_fen or 0),
        session_id = session.id,
        event_id = why.event_id,
        at = linli.time.format(call.now),
        expires_at = linli.time.format(call.now + COMMAND_MS),
    }, { subject = session.resident })
end

-- P3. A time that cannot be is the receipt's too: a leap second, say.
local function time_of(call, text, offline)
    local captured = linli.time.parse(text)
    local believed = captured and
        (offline or math.abs(captured - call.now) <= CLOCK_MS)
    if believed then
        return captured, captured > call.now + CLOCK_MS
    end
    return call.now, true
end

local function answer(verdict)
    local session = verdict.session or {}
    return {
        session_id = session.id,
        action = verdict.action,
        reason = verdict.reason,
        display_text = texts.display(verdict.reason, verdict.due_fen),
        due_fen = verdict.due_fen,
        duplicate = verdict.duplicate,
        special = session.special == true,
    }
end

-- An event that was seen before: what was decided, or for a car that waits at
-- the exit what holds now. Nothing is counted again, and the answer is all
-- that the gate is told.
local function repeated(call, seen, offline)
    local session = seen.session_id and call.db.session:get(seen.session_id)
    local waits = seen.kind == "exit" and seen.action == "hold"
    if waits and session and not offline then
        return sessions.exit_again(call, session)
    end
    return { action = seen.action, reason = seen.reason, session = session,
        due_fen = seen.due_fen, duplicate = true }
end

local function judge(call, passage, kind)
    if passage.plate == "" then
        if passage.offline then
            record.anomaly(call, "no_plate", passage)
        end
        return { action = "hold", reason = "no_plate", due_fen = 0,
            duplicate = false }
    elseif kind == "entry" then
        return sessions.enter(call, passage)
    end
    return sessions.exit(call, passage)
end

local function keep(call, key, event, passage, verdict)
    -- A second car of that plate has passed: an exit may yet tell that the
    -- first one had left (P16).
    local waits = passage.offline and verdict.reason == "already_inside"
    call.db.gate_event:insert {
        id = key,
        event_id = event.event_id,
        gate = passage.gate,
        lot = passage.lot,
        device = call.caller.id,
        kind = event.kind,
        plate = passage.plate,
        plate_type = passage.plate_type,
        confidence = event.confidence,
        seq = event.seq,
        captured_at = event.captured_at,
        at = passage.at,
        flagged = passage.flagged,
        offline = passage.offline,
        received_at = call.now,
        waiting = waits and passage.plate or nil,
        session_id = verdict.session and verdict.session.id,
        action = verdict.action,
        reason = verdict.reason,
        due_fen = verdict.due_fen,
    }
    record.count(call, "parking.gate_event", key, passage.at)
end

-- One event of a gate that takes it (P2 to P4). Offline: the car has passed;
-- nothing is said to the gate.
---@param call linli.Call
---@param gate {lot: string}
---@param event table
---@param offline boolean
---@param of_call {lists: parking.Lists, lots: table<string, true>}  lots whose
---       cars have come or gone are added
---@return table
local function take(call, gate, event, offline, of_call)
    local id = call.params.gate
    local key = id .. "/" .. event.event_id
    local seen = call.db.gate_event:get(key)
    if seen then
        return answer(repeated(call, seen, offline))
    end
    local at, flagged = time_of(call, event.captured_at, offline)
    local passage = { gate = id, event_id = event.event_id,
        lot = gate.lot, plate = event.plate,
        plate_type = event.plate_type or "unknown", at = at,
        flagged = flagged, offline = offline, lists = of_call.lists }
    local verdict = judge(call, passage, event.kind)
    of_call.lots[verdict.session and verdict.session.lot or gate.lot] = true
    if offline then
        verdict.action = "open"
    elseif verdict.action == "open" and not verdict.duplicate then
        M.command(call, id, "open", { reason = verdict.reason,
            session = verdict.session, event_id = event.event_id })
    end
    keep(call, key, event, passage, verdict)
    return answer(verdict)
end

local function open_call(call)
    return { lists = lists.open(call), lots = {} }
end

local function tell_boards(call, of_call)
    for lot in pairs(of_call.lots) do
        board.changed(call, lot)
    end
end

function M.live(call)
    local event, of_call = call.body, open_call(call)
    local gate = M.find(call, call.params.gate, event.kind)
    local result = take(call, gate, event, call.late == true, of_call)
    tell_boards(call, of_call)
    return 200, result
end

-- Events of one batch in the order in which they happened; at one instant,
-- as the camera counted them, then as they came.
local function in_order(events)
    local list = {}
    for i, event in ipairs(events) do
        list[i] = { event = event, at = linli.time.parse(event.captured_at)
            or math.maxinteger, seq = event.seq or 0 }
    end
    table.sort(list, function(a, b)
        if a.at ~= b.at then
            return a.at < b.at
        end
        return a.seq < b.seq
    end)
    return list
end

function M.replay(call)
    local gate = M.find(call, call.params.gate)
    local of_call, results, duplicates = open_call(call), linli.array(), 0
    for i, item in ipairs(in_order(call.body.events)) do
        local result
        if M.takes(gate, item.event.kind) then
            result = take(call, gate, item.event, true, of_call)
        else
            result = answer { action = "open", reason = "wrong_direction",
                due_fen = 0, duplicate = false }
        end
        result.event_id = item.event.event_id
        results[i] = result
        duplicates = duplicates + (result.duplicate and 1 or 0)
    end
    tell_boards(call, of_call)
    return 200, { results = results, duplicates = duplicates }
end

-- A person opens a gate by hand.
function M.open(call)
    local id = call.params.gate
    M.find(call, id)
    M.command(call, id, "open", { reason = "manual" })
    record.audit(call, "open", { gate = id, reason = call.body.reason })
    return 200, { gate = id, action = "open", reason = "manual" }
end

return M
