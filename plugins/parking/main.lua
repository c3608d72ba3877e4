-- main.lua: the parking plugin's routes; what each does stands in the file it
-- names. The rules are spec/tariff.md.

local linli = require "linli"
local lists = require "lists"
local page = require "page"
local quotes = require "quotes"
local record = require "record"
local tariffs = require "tariffs"

local p = linli.plugin()

-- Everything of one of the collections that the operator reads.
local function all_of(collection)
    return function(call)
        local range = { index = "by_at", eq = {} }
        return 200, page.answer(call, collection, { range }, record.view)
    end
end

p:get("/tariffs/:lot", tariffs.get)
p:put("/tariffs/:lot", tariffs.put)
p:post("/tariffs/:lot/simulate", quotes.simulate)

p:get("/lists/:list", lists.get)
p:put("/lists/:list", lists.put)

p:get("/audit", all_of "audit")

return p
