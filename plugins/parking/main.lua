-- main.lua: the parking plugin's routes; what each does stands in the file it
-- names. The rules are spec/parking.md and spec/tariff.md.

local arrears = require "arrears"
local desk = require "desk"
local gates = require "gates"
local linli = require "linli"
local lists = require "lists"
local page = require "page"
local queries = require "queries"
local quotes = require "quotes"
local record = require "record"
local scan = require "scan"
local sessions = require "sessions"
local tariffs = require "tariffs"

local p = linli.plugin()

-- A gate of a lot that is not there would let cars in for nothing.
for id, gate in pairs(linli.config.gates or {}) do
    if not (linli.config.lots or {})[gate.lot] then
        error(string.format("gates.%s: lot %q is not among the lots", id,
            gate.lot), 0)
    end
end

-- Everything of one of the collections that the operator reads.
local function all_of(collection)
    return function(call)
        local range = { index = "by_at" }
        return 200, page.answer(call, collection, { range }, record.view)
    end
end

p:post("/gates/:gate/events", gates.live)
p:post("/gates/:gate/replay", gates.replay)
p:post("/gates/:gate/open", gates.open)

p:post("/scan-entry", scan.entry)
p:post("/scan-exit", scan.exit)

p:get("/sessions", queries.list)
p:get("/sessions/:id", queries.get)
p:post("/sessions/:id/quote", quotes.quote)
p:post("/sessions/:id/close", desk.close)
p:post("/sessions/:id/correct-plate", desk.correct_plate)
p:timer("stale_session", sessions.stale)

p:get("/arrears", arrears.list)

p:get("/tariffs/:lot", tariffs.get)
p:put("/tariffs/:lot", tariffs.put)
p:post("/tariffs/:lot/simulate", quotes.simulate)

p:get("/lists/:list", lists.get)
p:put("/lists/:list", lists.put)

p:get("/anomalies", all_of "anomaly")
p:get("/audit", all_of "audit")

return p
