-- main.lua: the bench's work as a Linli plugin.

local linli = require "linli"
local price = require "price"

local p = linli.plugin()

p:get("/hello", function()
    return 200, price.hello()
end)

p:post("/quote", function(call)
    local quote = price.quote(call.body) or call:fail("quote/invalid")
    return 200, quote
end)

return p
