-- record.lua: what is kept for the operator: anomalies, who did what, usage.

local linli = require "linli"
local plates = require "plates"

local M = {}

-- Something that should not have happened: kept, and raised as an alert.
-- `about` is a gate's event or a session; neither tells the whole plate.
---@param call linli.Call
---@param kind string
---@param about {session_id: string?, gate: string?, event_id: string?,
---             booking_id: string?, plate: string?, at: integer?,
---             resident: string?}
function M.anomaly(call, kind, about)
    local has_plate = about.plate and about.plate ~= ""
    local kept = call.db.anomaly:insert {
        kind = kind,
        at = call.now,
        seen_at = about.at,
        session_id = about.session_id,
        gate = about.gate,
        event_id = about.event_id,
        booking_id = about.booking_id,
        plate_masked = has_plate and plates.mask(about.plate) or nil,
        resident = about.resident,
    }
    call:alert("parking.anomaly", {
        anomaly_id = kept.id,
        kind = kind,
        session_id = about.session_id,
        gate = about.gate,
        plate_masked = kept.plate_masked,
    }, { subject = about.resident })
end

-- An act of staff or operator, in the same commit as what it did.
---@param call linli.Call
---@param action string
---@param what table  what it was done to, and `reason`
function M.audit(call, action, what)
    what.action = action
    what.at = call.now
    what.by = { kind = call.caller.kind, id = call.caller.id }
    call.db.audit:insert(what)
end

-- How far back usage may be counted.
local COUNTED_MS = 72 * linli.hour

-- Counts something, once for its id, in the period in which it happened.
---@param call linli.Call
---@param meter string
---@param id string
---@param at integer
---@param quantity integer?  one if left out
function M.count(call, meter, id, at, quantity)
    at = math.min(math.max(at, call.now - COUNTED_MS), call.now)
    call:meter(meter, quantity or 1, { event_id = id, at = at })
end

-- A kept document as it is answered.
function M.view(_, item)
    local view = {}
    for name, value in pairs(item) do
        view[name] = value
    end
    view.resident = nil
    view.at = linli.time.format(item.at)
    view.seen_at = item.seen_at and linli.time.format(item.seen_at)
    return view
end

return M
