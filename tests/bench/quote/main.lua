-- main.lua: the bench's work as a Linli plugin, answered in three ways: when
-- its usage is on the disk, before that, and without any.

local linli = require "linli"
local price = require "price"

local p = linli.plugin()

local function hello()
    return 200, price.hello()
end

local function quote(call)
    local made = price.quote(call.body) or call:fail("quote/invalid")
    return 200, made
end

for _, way in ipairs { "", "/relaxed", "/free" } do
    p:get(way .. "/hello", hello)
    p:post(way .. "/quote", quote)
end

return p
