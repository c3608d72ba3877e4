-- family.lua: "got home", told to the household of who drives
-- (spec/parking.md, P46).
--
-- Whoever drives agrees to it at the host, for their comings alone, and may
-- take that back there; whoever is to hear says so here. That a plugin was
-- told it may is not kept: each time it is asked anew.

local linli = require "linli"
local plates = require "plates"
local trail = require "trail"

local M = {}

-- PUT /family: {tell} of one's own comings, {hear} of those of the household.
function M.put(call)
    if not call.resident.household then
        call:fail("parking/no-household")
    end
    call.db.family:put { id = call.resident.id,
        household = call.resident.household, resident = call.resident.id,
        tell = call.body.tell == true, hear = call.body.hear == true }
    return 204
end

-- A session has begun: asks for a job if its driver tells.
---@param call linli.Call
---@param session table
function M.entered(call, session)
    local driver = trail.driver(call, session)
    local member = driver and call.db.family:get(driver)
    if member and member.tell then
        call:job { run = "got_home", subject = driver, with = {
            driver = driver, at = session.entered_at,
            plate = plates.mask(session.plate) } }
    end
end

-- The job is about the driver, so it asks for them.
function M.tell(call, with)
    local member = call.db.family:get(with.driver)
    if not member or not trail.may(call, with.driver, "family_notice") then
        return
    end
    for _, other in ipairs(call.db.family:list { index = "by_household",
        eq = { member.household } }) do
        if other.hear and other.id ~= with.driver then
            call:notify { to = other.id, template = "got_home",
                key = linli.time.format(with.at) .. other.id,
                with = { plate = with.plate,
                    at = linli.time.format(with.at) } }
        end
    end
end

return M
