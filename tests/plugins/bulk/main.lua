-- Answers and log lines of any size, to fill the rings.
local linli = require "linli"
local p = linli.plugin()

p:get("/bytes/:n", function(call)
  return 200, { data = string.rep("x", math.tointeger(call.params.n)) }
end)

p:get("/lines/:n", function(call)
  for i = 1, math.tointeger(call.params.n) do
    print(string.rep("y", 4000))
  end
  return 200, { lines = math.tointeger(call.params.n) }
end)

return p
