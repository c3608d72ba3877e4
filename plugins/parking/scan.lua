-- scan.lua: cars without a plate; their drivers scan a code at the gate.

local board = require "board"
local gates = require "gates"
local lists = require "lists"
local plates = require "plates"
local sessions = require "sessions"

local M = {}

local PLATE_TRIES = 3 -- to make up one that nobody has

local function passage_of(call, gate, plate)
    return { gate = call.body.gate, lot = gate.lot, plate = plate,
        plate_type = "temporary", at = call.now, flagged = false,
        offline = false, lists = lists.open(call),
        resident = call.resident.id }
end

local function answer(verdict)
    return {
        session_id = verdict.session.id,
        temp_plate = verdict.session.plate,
        action = verdict.action,
        reason = verdict.reason,
        due_fen = verdict.due_fen,
        duplicate = verdict.duplicate,
    }
end

-- The session that the resident scanned and that is still open.
local function own(call)
    return call.db.session:find("open_scanner", call.resident.id)
end

-- P20. A second scan at the same gate is the same passage; another car has to
-- wait until the first one has left.
local function entered_already(call, open)
    local same = open.entry.gate == call.body.gate
        and call.now - open.at <= sessions.SAME_SHOT_MS
    if not same then
        call:fail("parking/already-inside")
    end
    return 200, answer { session = open, action = "open",
        reason = "entered", due_fen = 0, duplicate = true }
end

local function free_plate(call)
    for _ = 1, PLATE_TRIES do
        local plate = plates.temporary()
        if not call.db.session:find("open_plate", plate) then
            return plate
        end
    end
    error("no temporary plate is free")
end

function M.entry(call)
    local gate = gates.find(call, call.body.gate, "entry")
    local open = own(call)
    if open then
        return entered_already(call, open)
    end
    local verdict = sessions.enter(call,
        passage_of(call, gate, free_plate(call)))
    gates.command(call, call.body.gate, "open",
        { reason = verdict.reason, session = verdict.session })
    board.changed(call, gate.lot)
    return 201, answer(verdict)
end

function M.exit(call)
    local gate = gates.find(call, call.body.gate, "exit")
    local session = own(call) or call:fail("parking/session-not-found")
    local verdict = sessions.leave(call, session,
        passage_of(call, gate, session.plate))
    gates.command(call, call.body.gate,
        verdict.action == "open" and "open" or "display", verdict)
    board.changed(call, session.lot)
    return 200, answer(verdict)
end

return M
