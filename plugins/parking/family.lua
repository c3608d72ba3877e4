-- family.lua: "got home", told to the household of who drives
-- (spec/parking.md, P46).
--
-- Whoever drives agrees to it at the host, for their comings alone, and may
-- take that back there; whoever is to hear says so here. That a plugin was
-- told it may is not kept: each time it is asked anew.

local linli = require "linli"
local plates = require "plates"

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
    local pass = session.pass_id and call.db.pass:get(session.pass_id)
    local driver = session.resident or pass and pass.resident
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
    local _, why = call.data:get { field = "parking_trail",
        purpose = "family_notice" }
    -- Allowed, whether or not the host has a value of its own.
    if not member or why and why.code ~= "consent/no-data" then
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
