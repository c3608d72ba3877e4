-- test/test_payments.lua: stays are paid (spec/parking.md, P24 to P26). Each
-- case is a story.

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. package.path

local carpark = require "carpark"
local tap = require "tap"

local CAR, OTHER = carpark.CAR, carpark.OTHER
local expect, test = carpark.expect, tap.test

local function open()
    return carpark.open(here .. "..")
end

local function debt(park)
    return park:arrears(CAR)[1]
end

test("pay, leave within the grace, its last instant included", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    local quote = park:quote(id)
    expect(quote, { due_fen = 900, expires_at = carpark.text "10:45" })
    local asked = park:payment(id, quote)
    expect(asked, { session_id = id, amount_fen = 900,
        pay_by = carpark.text "10:45" })
    tap.check(asked.pay_params, "pay_params")
    expect(park:session(id), { state = "inside", paid_fen = 0 })
    park:at "10:42"
    park.world:pay(asked.payment_id)
    expect(park:session(id), { state = "paid", paid_fen = 900,
        leave_before = carpark.text "10:57" })
    expect(park:exit(CAR, "10:57"), { action = "open", reason = "left",
        due_fen = 0 })
    expect(park:session(id), { state = "left", paid_fen = 900 })
    tap.equal(park.world:metered "parking.gmv_fen", 900, "gmv")
    tap.equal(next(park.world.timers), nil, "timers left")
end)

test("pays, dawdles past the grace, pays again", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:pay(id, "10:40")
    park:at "10:55"
    expect(park:session(id), { state = "paid" })
    park:at "10:55:01"
    local late = park:session(id)
    expect(late, { state = "inside", paid_fen = 900 })
    tap.equal(late.leave_before, nil, "leave_before")
    -- 09:00 to 11:10 costs 1100, whatever was paid when.
    expect(park:exit(CAR, "11:10"), { action = "hold",
        reason = "payment_due", due_fen = 200 })
    expect(park:quote(id), { gross_fen = 1100, paid_fen = 900,
        due_fen = 200 })
    park:pay(id, "11:12")
    expect(park:session(id), { state = "paid", paid_fen = 1100,
        leave_before = carpark.text "11:27" })
    expect(park:exit(CAR, "11:13"), { action = "open", reason = "left" })
    tap.equal(park.world:metered "parking.gmv_fen", 1100, "gmv")
end)

test("past the grace but within the block paid for, nothing is due",
    function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:pay(id, "10:31")
    expect(park:exit(CAR, "10:58"), { action = "open", due_fen = 0 })
end)

test("a payment starts neither the clock nor the free minutes anew",
    function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:pay(id, "10:00") -- 500: the block at 10:00 is not started
    expect(park:exit(CAR, "10:20"), { action = "hold", due_fen = 200 })
end)

test("a quote lives five minutes", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    local quote = park:quote(id)
    park:at "10:44:59"
    park:payment(id, quote)
    park:at "10:45"
    park:refused(409, "parking/quote-expired", "POST",
        "/sessions/" .. id .. "/payments", { as = "resident:wang",
            body = { quote_id = quote.quote_id } })
end)

test("what is no quote of the session is none", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    local other = park:enter(OTHER, "09:00").session_id
    park:at "10:40"
    local theirs = park:quote(other, "resident:li").quote_id
    local mine = park:quote(id).quote_id
    local tomorrow = mine:gsub("%.%d+%.", function(at)
        return "." .. (tonumber(at:sub(2, -2)) + 1) .. "."
    end)
    for _, quote_id in ipairs { theirs, tomorrow, "nonsense" } do
        park:refused(404, "parking/quote-unknown", "POST",
            "/sessions/" .. id .. "/payments", { as = "resident:wang",
                body = { quote_id = quote_id } })
    end
    park:refused(409, "parking/quote-stale", "POST",
        "/sessions/" .. id .. "/payments", { as = "resident:wang",
            body = { quote_id = mine:gsub("900$", "1") } })
end)

test("others can neither quote nor pay; the operator can", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    for _, what in ipairs { "quote", "payments" } do
        park:refused(404, "parking/session-not-found", "POST",
            "/sessions/" .. id .. "/" .. what, { as = "resident:li",
                body = what == "payments" and { quote_id = "x" } or {} })
    end
    park:pay(id, "10:40", "operator:o1")
    expect(park:session(id), { state = "paid" })
end)

test("nothing due is nothing to pay", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "09:20"
    park:refused(409, "parking/nothing-due", "POST",
        "/sessions/" .. id .. "/payments", { as = "resident:wang",
            body = { quote_id = park:quote(id).quote_id } })
end)

test("a payment that expires or is refused leaves the car as it was",
    function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    local asked = park:payment(id, park:quote(id))
    park:at "10:45"
    tap.equal(park.world:pay(asked.payment_id), "late", "strictly before")
    expect(park:session(id), { state = "inside", paid_fen = 0 })
    park.world:refuse_next()
    park:refused(409, "parking/payment-refused", "POST",
        "/sessions/" .. id .. "/payments", { as = "resident:wang",
            body = { quote_id = park:quote(id).quote_id } })
    park:pay(id, "10:46")
    tap.equal(park.world:metered "parking.gmv_fen", 900, "gmv")
end)

test("two of a household pay one stay: the second gets all of it back",
    function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    local first = park:payment(id, park:quote(id))
    local second = park:payment(id, park:quote(id))
    park.world:pay(second.payment_id)
    park.world:pay(first.payment_id)
    expect(park:session(id), { state = "paid", paid_fen = 900 })
    tap.equal(park.world:refunded_fen(), 900, "refunded")
    tap.equal(park.world:metered "parking.gmv_fen", 900, "gmv")
    park.world:refunded(park.world.refunds[1].id)
    expect(park:session(id), { state = "paid", paid_fen = 900 })
end)

test("a channel that nobody serves", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    park.world.no_adapter = "cash"
    park:refused(422, "parking/channel-unknown", "POST",
        "/sessions/" .. id .. "/payments", { as = "resident:wang",
            body = { quote_id = park:quote(id).quote_id,
                channel = "cash" } })
    tap.equal(#park.world.db:all "payment", 0, "payments kept")
end)

test("a notice told twice pays once", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    local paid = park:pay(id, "10:40")
    tap.equal(park.world:pay(paid), "duplicate", "notice")
    tap.equal(park.world:pay(paid, { transaction = "t2" }), "second",
        "another transaction")
    park:at "10:50"
    park.world:tell_again(paid)
    expect(park:session(id), { paid_fen = 900,
        leave_before = carpark.text "10:55" })
    tap.equal(park.world:metered "parking.gmv_fen", 900, "gmv")
end)

test("an older quote paid after a newer one is not owed", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:29"
    local old = park:payment(id, park:quote(id))
    park:pay(id, "10:31")
    park.world:pay(old.payment_id)
    expect(park:session(id), { paid_fen = 900 })
    tap.equal(park.world:refunded_fen(), old.amount_fen, "refunded")
end)

test("a held car pays at the gate: it opens, and the car has left",
    function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    local event = park:event("exit", CAR, "10:40")
    expect(park:send("g2", event), { action = "hold", due_fen = 900 })
    park:pay(id, "10:41")
    tap.equal(park:commands(), "g1 open, g2 open", "commands")
    tap.equal(park.world.events[2].data.reason, "paid", "reason")
    expect(park:send("g2", event), { action = "open", reason = "left" })
    expect(park:session(id), { state = "left" })
end)

test("no camera saw it go: its next entry says that it had left",
    function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:exit(CAR, "10:40")
    park:pay(id, "10:41")
    expect(park:enter(CAR, "18:00"), { action = "open",
        reason = "entered" })
    expect(park:session(id), { state = "left", fee_fen = 900,
        left_at = carpark.text "10:41" })
    tap.equal(park:anomalies(), "", "anomalies")
end)

test("a car that went back from the gate is inside after its grace",
    function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:exit(CAR, "10:40")
    park:pay(id, "10:41")
    expect(park:exit(CAR, "11:00"), { action = "open" })
    local again = park:enter(CAR, "12:00").session_id
    park:exit(CAR, "13:40")
    park:pay(again, "13:41")
    expect(park:exit(CAR, "14:10"), { action = "hold", due_fen = 200 })
    expect(park:enter(CAR, "14:12"), { reason = "already_inside" })
end)

test("a payment for a stay that was closed by hand goes back", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    local asked = park:payment(id, park:quote(id))
    park:close(id, { kind = "forced" })
    park.world:pay(asked.payment_id)
    expect(park:session(id), { state = "closed", paid_fen = 0 })
    tap.equal(park.world:refunded_fen(), 900, "refunded")
    tap.equal(park.world:metered "parking.gmv_fen", 0, "gmv")
end)

test("paid by phone after leaving offline: what is over goes back",
    function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:pay(id, "12:00") -- 1300, but it had left at 10:40
    park:at "14:00"
    local result = park:replay("g2",
        { park:event("exit", CAR, "10:40") }).results[1]
    expect(result, { reason = "left", due_fen = 0 })
    expect(park:session(id), { state = "left", fee_fen = 900,
        paid_fen = 900 })
    tap.equal(park.world:refunded_fen(), 400, "refunded")
    tap.equal(#park:arrears(CAR), 0, "debts")
end)

test("arrears are quoted as of leaving and paid like a stay", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "14:00"
    park:replay("g2", { park:event("exit", CAR, "10:40") })
    expect(debt(park), { state = "owed", amount_fen = 900 })
    expect(park:quote(id), { due_fen = 900, minutes = 100 })
    park:pay(id, "15:00")
    expect(debt(park), { state = "paid" })
    expect(park:session(id), { state = "left", paid_fen = 900 })
    tap.equal(park.world:metered "parking.gmv_fen", 900, "gmv")
    park:refused(409, "parking/session-ended", "POST",
        "/sessions/" .. id .. "/quote", { as = "resident:wang", body = {} })
end)

test("the stay ends in arrears while its payment is under way", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    local asked = park:payment(id, park:quote(id))
    park:at "10:43"
    park:replay("g2", { park:event("exit", CAR, "10:41") })
    expect(debt(park), { state = "owed", amount_fen = 900 })
    park.world:pay(asked.payment_id)
    expect(debt(park), { state = "paid" })
    tap.equal(park.world:refunded_fen(), 0, "refunded")
end)

test("an earlier visit is paid before its exit is told", function()
    local park = open()
    local later = park:enter(CAR, "12:00").session_id
    local earlier = park:replay("g1",
        { park:event("entry", CAR, "09:00") }).results[1].session_id
    park:pay(earlier, "12:01")
    expect(park:replay("g2", { park:event("exit", CAR, "10:40") })
        .results[1], { session_id = earlier, reason = "left" })
    expect(park:session(earlier), { state = "left", paid_fen = 900 })
    expect(park:session(later), { state = "inside" })
    tap.equal(park.world:refunded_fen(), 600, "refunded")
end)

test("a scanned car is paid by who scanned it", function()
    local park = open()
    local id = park:ok("POST", "/scan-entry", { as = "resident:li",
        body = { gate = "g1" } }).session_id
    park:at "10:40"
    park:refused(404, "parking/session-not-found", "POST",
        "/sessions/" .. id .. "/quote", { as = "resident:wang", body = {} })
    expect(park:ok("POST", "/scan-exit", { as = "resident:li",
        body = { gate = "g2" } }), { action = "hold", due_fen = 900 })
    park:pay(id, "10:41", "resident:li")
    expect(park:ok("POST", "/scan-exit", { as = "resident:li",
        body = { gate = "g2" } }), { action = "open", reason = "left" })
end)

test("a misread plate that had paid keeps what it paid", function()
    local park = open()
    local id = park:enter("沪A12346", "09:00").session_id
    park:pay(id, "10:40", "operator:o1")
    park:correct(id, CAR)
    expect(park:session(id), { state = "paid", paid_fen = 900 })
    expect(park:exit(CAR, "10:50"), { action = "open", due_fen = 0 })
end)

test("corrected to a plate that is free: what was paid goes back",
    function()
    local park = open()
    park:ok("PUT", "/lists/allow", { as = "operator:o1",
        body = { plates = { CAR }, reason = "业主" } })
    local id = park:enter("沪A12346", "09:00").session_id
    park:pay(id, "10:40", "operator:o1")
    park:correct(id, CAR)
    park:exit(CAR, "10:50")
    expect(park:session(id), { state = "left", fee_fen = 0, paid_fen = 0 })
    tap.equal(park.world:refunded_fen(), 900, "refunded")
end)

test("the desk gives back a part of what was paid, with a reason",
    function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    local path = "/sessions/" .. id .. "/refund"
    local body = { amount_fen = 500, reason = "闸机故障" }
    park:pay(id, "10:40")
    park:refused(409, "parking/session-open", "POST", path,
        { as = "operator:o1", body = body })
    park:exit(CAR, "10:45")
    expect(park:ok("POST", path, { as = "operator:o1", body = body }),
        { paid_fen = 900, refunded_fen = 500 })
    tap.equal(park.world:refunded_fen(), 500, "refunded")
    park:refused(409, "parking/refund-too-much", "POST", path,
        { as = "operator:o1", body = body })
    park:refused(422, "request/invalid", "POST", path,
        { as = "operator:o1", body = { amount_fen = 1 } })
    expect(park.world.db:all "audit"[1], { action = "refund",
        amount_fen = 500, reason = "闸机故障" })
end)

test("a payment that comes after the stay has ended pays what it cost",
    function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:00"
    local asked = park:payment(id, park:quote(id)) -- 500
    park:at "10:04"
    park:replay("g2", { park:event("exit", CAR, "10:40") })
    expect(debt(park), { state = "owed", amount_fen = 900 })
    park.world:pay(asked.payment_id) -- its grace ends at 10:19
    expect(debt(park), { state = "owed", amount_fen = 400 })
    expect(park:quote(id), { paid_fen = 500, due_fen = 400 })
    park:pay(id, "11:00")
    expect(debt(park), { state = "paid" })
    expect(park:session(id), { paid_fen = 900 })
end)

test("a payment of a later end than the stay had pays no more than it cost",
    function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "12:00"
    local asked = park:payment(id, park:quote(id)) -- 1300
    park:at "12:01"
    park:replay("g2", { park:event("exit", CAR, "10:40") })
    park.world:pay(asked.payment_id)
    expect(debt(park), { state = "paid" })
    expect(park:session(id), { fee_fen = 900, paid_fen = 900 })
    tap.equal(park.world:refunded_fen(), 400, "refunded")
    tap.equal(park.world:metered "parking.gmv_fen", 900, "gmv")
end)

test("a payment counts when it was accepted, whenever the plugin hears of it",
    function()
    local park = open()
    local id = park:enter(CAR, "2026-03-31 22:00").session_id
    park:at "2026-03-31 23:58"
    park:exit(CAR, "2026-03-31 23:58")
    local asked = park:payment(id, park:quote(id))
    park.world:pay(asked.payment_id, { untold = true })
    park:at "2026-04-01 09:00"
    local commands = park:commands()
    park.world:tell_again(asked.payment_id)
    tap.equal(park:commands(), commands, "the car waits there no more")
    local usage = park.world.meters[#park.world.meters]
    expect(usage, { name = "parking.gmv_fen",
        at = carpark.instant "2026-03-31 23:58" })
    expect(park:exit(CAR, "2026-04-01 09:00"), { action = "hold" })
end)

tap.finish()
