-- tests/hostile/lua/main.lua: a plugin whose author means harm.
--
-- POST /run/KIND/NAME runs the attack NAME of KIND.lua; test_lua.py says how
-- each must end. POST /innocent is a call of somebody else that shares the
-- worker. POST /marks tells what of other calls and instances can be seen.
local linli = require "linli"

local kinds = {}
for _, name in ipairs { "loops", "bombs", "memory", "values", "escape" } do
  kinds[name] = require(name)
end

local p = linli.plugin()
local escape = require "escape"

p:post("/run/:kind/:what", function(call)
  local result, body = kinds[call.params.kind][call.params.what](call)
  if math.type(result) == "integer" then
    return result, body
  end
  return 200, { result = result == nil and linli.null or result }
end)

p:post("/innocent", function(call)
  call.host.probe_wait(call.body.ms)
  return 200, { n = call.body.n }
end)

p:post("/marks", function()
  return 200, { found = linli.array(escape.marks()) }
end)

return p
