-- trail.lua: when a car came and went, as what it says of a resident
-- (spec/parking.md, P48).

local M = {}

-- Who is known to have brought the car: who scanned it, or bought its pass.
---@param call linli.Call
---@param session table
---@return string?
function M.driver(call, session)
    local pass = session.pass_id and call.db.pass:get(session.pass_id)
    return session.resident or pass and pass.resident
end

-- Whether parking may use a resident's comings and goings for the purpose now.
-- The record is parking's own: allowed, whether or not the host has a value
-- of the field, too.
---@param call linli.Call
---@param resident string
---@param purpose "family_notice"|"safety_monitoring"
---@return boolean
function M.may(call, resident, purpose)
    local value, why = call.data:get { resident = resident,
        field = "parking_trail", purpose = purpose }
    return value ~= nil or why.code == "consent/no-data"
end

return M
