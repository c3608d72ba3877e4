-- Sends what it is asked to send; what the host refuses is told, as text.
local linli = require "linli"
local p = linli.plugin()

p:get("/me", function(call)
    return 200, {id = call.resident.id, household = call.resident.household}
end)

local function send(call)
    local ids = {}
    for i, message in ipairs(call.body.messages) do
        local good, id = pcall(call.notify, call, message)
        if not good and not call.body.tell then error(id, 0) end
        ids[i] = id
    end
    if call.body.fail then call:fail("notices/no") end
    return 200, {ids = linli.array(ids)}
end
p:post("/send", send)
p:post("/safe", send)

p:post("/remind", function(call)
    for _, at in ipairs(call.body.at) do
        call:timer{at = at, run = "remind", key = "remind:" .. at,
                   with = {to = call.resident.id, date = call.body.date,
                           key = "pass:" .. at}}
    end
    return 204
end)

p:timer("remind", function(call, with)
    call:notify{to = with.to, template = "pass_expires",
                with = {date = with.date}, key = with.key}
end)

return p
