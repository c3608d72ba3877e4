-- queries.lua: sessions, for residents and for those who run the car park.

local page = require "page"
local plates = require "plates"
local sessions = require "sessions"

local M = {}

-- Where the caller's sessions lie, as ranges of indexes that are named
-- alike with and without a state.
local function ranges(call, state)
    local found, wanted = {}, call.query.plate
    local function add(name, value)
        found[#found + 1] = state
            and { index = name .. "_state", eq = { value, state } }
            or { index = name, eq = { value } }
    end
    if call.caller.kind == "resident" then
        for _, plate in ipairs(plates.own(call, "billing")) do
            if plate == (wanted or plate) then
                add("by_plate", plate)
            end
        end
        if not wanted then
            add("by_resident", call.resident.id)
        end
    elseif wanted then
        add("by_plate", wanted)
    else
        found[1] = state and { index = "by_state", eq = { state } }
            or { index = "by_at" }
    end
    return found
end

function M.list(call)
    local state, plate = call.query.state, call.query.plate
    if state and not sessions.STATES[state] then
        call:fail("parking/query-invalid", "state is none of a session")
    end
    if plate and not plates.is_plate(plate) then
        call:fail("parking/query-invalid", "plate is 7 or 8 characters")
    end
    return 200, page.answer(call, "session", ranges(call, state),
        sessions.view)
end

function M.get(call)
    return 200, sessions.view(call, sessions.of_path(call))
end

return M
