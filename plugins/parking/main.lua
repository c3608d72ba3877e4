-- main.lua: the parking plugin's routes; what each does stands in the file it
-- names. The rules are spec/parking.md and spec/tariff.md.

local arrears = require "arrears"
local board = require "board"
local bookings = require "bookings"
local coupons = require "coupons"
local desk = require "desk"
local family = require "family"
local gates = require "gates"
local linli = require "linli"
local lists = require "lists"
local page = require "page"
local passes = require "passes"
local paying = require "paying"
local payments = require "payments"
local queries = require "queries"
local quotes = require "quotes"
local record = require "record"
local scan = require "scan"
local sessions = require "sessions"
local shares = require "shares"
local tariffs = require "tariffs"

local p = linli.plugin()

-- A gate of a lot that is not there would let cars in for nothing.
for id, gate in pairs(linli.config.gates or {}) do
    if not (linli.config.lots or {})[gate.lot] then
        error(string.format("gates.%s: lot %q is not among the lots", id,
            gate.lot), 0)
    end
end

for id, space in pairs(linli.config.spaces or {}) do
    if not (linli.config.lots or {})[space.lot] then
        error(string.format("spaces.%s: lot %q is not among the lots", id,
            space.lot), 0)
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
p:post("/sessions/:id/payments", payments.create)
p:post("/sessions/:id/refund", payments.refund)
p:timer("stale_session", sessions.stale)
p:timer("grace_over", payments.grace_over)

p:post("/coupons/issue", coupons.issue)

p:post("/passes", passes.buy)
p:get("/passes", passes.list)
p:post("/passes/:id/renew", passes.renew)
p:timer("pass_reminder", passes.remind)
p:timer("pass_month", passes.month_begins)

p:post("/shares", shares.create)
p:get("/shares", shares.list)
p:delete("/shares/:id", shares.withdraw)
p:post("/shares/:id/bookings", shares.book)
p:get("/bookings", bookings.list)
p:get("/bookings/:id", bookings.get)
p:post("/bookings/:id/cancel", bookings.cancel)
p:post("/bookings/:id/arrive", bookings.arrive)
p:post("/bookings/:id/leave", bookings.leave)
p:post("/bookings/:id/payments", bookings.pay)
p:get("/settlements", bookings.settlements)
p:timer("booking_expiry", bookings.expire)
p:timer("booking_end", bookings.ends)
p:job("share_settlement", bookings.settlement)

p:put("/family", family.put)
p:job("got_home", family.tell)

p:get("/board", board.get)
p:job("free_spaces", board.tell)

p:payment(paying.settled)
p:answer("paid_params", paying.params)

p:get("/arrears", arrears.list)

p:get("/tariffs/:lot", tariffs.get)
p:put("/tariffs/:lot", tariffs.put)
p:post("/tariffs/:lot/simulate", quotes.simulate)

p:get("/lists/:list", lists.get)
p:put("/lists/:list", lists.put)

p:get("/anomalies", all_of "anomaly")
p:get("/audit", all_of "audit")

return p
