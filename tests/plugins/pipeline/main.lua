-- A route for each way a call can end; tests/scenario/test_pipeline.py.
local linli = require "linli"

local p = linli.plugin()

local function me(call)
    return 200, {
        kind = call.caller.kind, id = call.caller.id, roles = call.caller.roles,
        resident = call.resident and call.resident.id, locale = call.locale,
        zone = call.zone, trace_id = call.trace_id, query = call.query,
    }
end

p:get("/me", me)
p:post("/me", me)
p:post("/write", function() return 201, { done = true } end)
p:put("/things/:id", function(call) return 200, { id = call.params.id } end)
p:delete("/things/:id", function() return 204 end)
p:post("/staff", function() return 200, {} end)
p:post("/any", function(call) return 200, { got = call.body } end)
p:post("/small", function() return 200, {} end)
p:post("/checked", function(call) return 200, { hours = call.body.hours } end)

p:post("/boom", function(call)
    local secret = "pin 1234"
    print("about to fail")
    error("no place for " .. secret)
end)

p:post("/full", function(call) call:fail("pipeline/full", "lot p1 has 0 places") end)
p:post("/undeclared", function(call) call:fail("pipeline/nobody", "hidden 4711") end)
p:post("/pretends", function(call) call:fail("auth/missing") end)

-- Returned refusals are the plugin's own words: they leave as they are.
p:post("/returns", function(call) return call.body.status, { word = "mine" } end)

p:post("/wait", function(call)
    call.host.probe_wait(1500)
    return 200, {}
end)

p:post("/spin", function()
    while true do pcall(function() while true do end end) end
end)

return p
