local linli = require "linli"

local p = linli.plugin()

p:get("/hello", function()
    return 200, { message = "你好, 邻里" }
end)

-- A body that breaks the schema in plugin.json never gets here.
p:post("/hello", function(call)
    return 200, { message = "你好, " .. call.body.name }
end)

return p
