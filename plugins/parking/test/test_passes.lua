-- test/test_passes.lua: passes (spec/parking.md, P28 to P32). Each case is a
-- story.

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. package.path

local carpark = require "carpark"
local tap = require "tap"

local CAR, OTHER = carpark.CAR, carpark.OTHER
local expect, test = carpark.expect, tap.test

local function open()
    return carpark.open(here .. "..")
end

local function ask(park, change, as)
    local body = { product_id = "monthly", plates = { CAR },
        starts_on = "2026-03-02" }
    for name, value in pairs(change or {}) do
        body[name] = value
    end
    return park:ok("POST", "/passes", { as = as or "resident:wang",
        body = body })
end

-- A pass that is paid for.
local function buy(park, change, as)
    local pass = ask(park, change, as)
    tap.equal(park.world:pay(pass.payment_id), "accepted", "payment")
    return pass
end

local function passes(park, as, query)
    return park:ok("GET", "/passes",
        { as = as or "resident:wang", query = query }).items
end

local function renew(park, id, as, body)
    return park:ok("POST", "/passes/" .. id .. "/renew",
        { as = as or "resident:wang", body = body or {} })
end

local function reminders(park)
    local texts = {}
    for i, message in ipairs(park.world.messages) do
        texts[i] = os.date("!%m-%d %H:%M", message.at // 1000 + 8 * 3600)
            .. " D-" .. message.text:match "还有 (%d+) 天"
    end
    return table.concat(texts, ", ")
end

-- The days of one year that tests move to.
local function day(park, date, time)
    park:at(date .. " " .. (time or "00:00"))
end

test("a pass is bought, paid, and valid for its dates", function()
    local park = open()
    local pass = ask(park)
    expect(pass, { state = "unpaid", starts_on = "2026-03-02",
        ends_on = "2026-04-02", price_fen = 30000, amount_fen = 30000,
        concurrent = 1, valid_from = carpark.text "00:00",
        valid_until = carpark.text "2026-04-02 00:00" })
    tap.check(pass.pay_params, "pay_params")
    park.world:pay(pass.payment_id)
    expect(passes(park)[1], { id = pass.id, state = "active" })
    park:enter(CAR, "09:00")
    expect(park:exit(CAR, "18:00"), { action = "open", reason = "left",
        due_fen = 0 })
    tap.equal(park.world:metered "parking.gmv_fen", 30000, "gmv")
end)

test("unpaid, it is worth nothing, and lapses", function()
    local park = open()
    local pass = ask(park)
    park:enter(CAR, "09:01")
    expect(park:exit(CAR, "10:41"), { action = "hold", due_fen = 900 })
    expect(passes(park, "operator:o1")[1] or {}, { id = nil })
    tap.equal(park.world:pay(pass.payment_id), "late", "payment")
    buy(park)
end)

test("a pass that ends mid-stay: billed from its end, no free minutes",
    function()
    local park = open()
    buy(park)
    day(park, "2026-04-01", "22:00")
    local id = park:enter(CAR, "2026-04-01 22:00").session_id
    expect(park:quote(id), { due_fen = 0 })
    -- From midnight: 500 for the first hour.
    expect(park:exit(CAR, "2026-04-02 00:00"), { action = "open" })
    local second = open()
    buy(second)
    id = second:enter(CAR, "2026-04-01 22:00").session_id
    expect(second:exit(CAR, "2026-04-02 00:00:01"),
        { action = "hold", due_fen = 500 })
    expect(second:exit(CAR, "2026-04-02 01:10"),
        { action = "hold", due_fen = 700 })
    local line = second:quote(id).lines[1]
    expect(line, { from = carpark.text "2026-04-02 00:00",
        day = "2026-04-02" })
end)

test("with free_after_pass_expiry the free minutes follow its end",
    function()
    local config = {}
    for name, value in pairs(carpark.CONFIG) do
        config[name] = value
    end
    local tariff = { free_after_pass_expiry = true }
    for name, value in pairs(carpark.TARIFF) do
        tariff[name] = value
    end
    config.lots = { p1 = { name = "x", tariff = tariff },
        p2 = carpark.CONFIG.lots.p2 }
    local park = carpark.open(here .. "..", config)
    buy(park)
    park:enter(CAR, "2026-04-01 22:00")
    expect(park:exit(CAR, "2026-04-02 00:30"), { action = "open" })
    park:enter(CAR, "2026-04-02 09:00") -- after its end it is no pass
    expect(park:exit(CAR, "2026-04-02 09:30:01"),
        { action = "hold", due_fen = 500 })
end)

test("the day it ends is not its own, the day it starts is", function()
    local park = open()
    buy(park, { starts_on = "2026-03-05" })
    local id = park:enter(CAR, "2026-03-04 22:00").session_id
    expect(park:exit(CAR, "2026-03-05 00:00"), { action = "hold",
        due_fen = 900 })
    park:close(id, { kind = "forced" })
    park:enter(CAR, "2026-03-05 01:00")
    expect(park:exit(CAR, "2026-03-05 20:00"), { due_fen = 0 })
    park:enter(CAR, "2026-04-05 00:00")
    expect(park:exit(CAR, "2026-04-05 01:40"), { due_fen = 900 })
end)

test("two plates, one pass: the second is temporary for its whole stay",
    function()
    local park = open()
    park.world.residents.wang = { CAR, OTHER }
    local pass = buy(park, { plates = { CAR, OTHER } })
    local first = park:enter(CAR, "09:00").session_id
    local second = park:enter(OTHER, "09:30").session_id
    expect(park:session(first), { pass_id = pass.id })
    tap.equal(park:session(second).pass_id, nil, "pass_id")
    expect(park:exit(CAR, "10:00"), { action = "open", due_fen = 0 })
    -- The first has left long ago: the pass is not handed over.
    expect(park:exit(OTHER, "13:10"), { action = "hold", due_fen = 1700 })
    park:close(second, { kind = "forced" })
    park:enter(OTHER, "14:00")
    expect(park:exit(OTHER, "18:00"), { action = "open", due_fen = 0 })
end)

test("the third car may use it once the first has left", function()
    local park = open()
    park.world.residents.wang = { CAR, OTHER }
    buy(park, { plates = { CAR, OTHER } })
    park:enter(CAR, "09:00")
    park:enter(OTHER, "09:30")
    park:exit(CAR, "10:00")
    local again = park:enter(CAR, "10:30").session_id
    tap.check(park:session(again).pass_id, "the other is temporary")
end)

test("offline, who came later is the second, whoever is told first",
    function()
    local park = open()
    park.world.residents.wang = { CAR, OTHER }
    buy(park, { plates = { CAR, OTHER } })
    park:at "12:00"
    park:replay("g1", { park:event("entry", CAR, "09:00"),
        park:event("entry", OTHER, "09:30") })
    park:replay("g2", { park:event("exit", CAR, "10:00"),
        park:event("exit", OTHER, "11:10") })
    tap.equal(#park:arrears(CAR), 0, "the first")
    expect(park:arrears(OTHER)[1], { amount_fen = 900 })
end)

test("bought while its car is inside, it pays for that stay", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "11:00"
    local pass = buy(park)
    expect(park:session(id), { pass_id = pass.id })
    expect(park:exit(CAR, "18:00"), { action = "open", due_fen = 0 })
end)

test("a renewal goes on from the end, counted from the first day",
    function()
    local park = open()
    day(park, "2027-01-31", "10:00")
    local pass = buy(park, { starts_on = "2027-01-31" })
    expect(pass, { ends_on = "2027-02-28" })
    local asked = renew(park, pass.id)
    expect(asked, { amount_fen = 30000, ends_on = "2027-02-28" })
    park:refused(409, "parking/payment-pending", "POST",
        "/passes/" .. pass.id .. "/renew",
        { as = "resident:wang", body = {} })
    park.world:pay(asked.payment_id)
    expect(passes(park)[1], { ends_on = "2027-03-31" })
end)

test("renewed in its days of grace, it never ended", function()
    local park = open()
    local pass = buy(park)
    local id = park:enter(CAR, "2026-04-01 22:00").session_id
    park:at "2026-04-03 09:00"
    expect(passes(park)[1], { state = "ended" })
    tap.check(park:quote(id).due_fen > 0, "billed meanwhile")
    park.world:pay(renew(park, pass.id).payment_id)
    expect(passes(park)[1], { state = "active", ends_on = "2026-05-02" })
    expect(park:exit(CAR, "2026-04-03 09:10"), { due_fen = 0 })
    day(park, "2026-05-05")
    park:refused(409, "parking/pass-ended", "POST",
        "/passes/" .. pass.id .. "/renew",
        { as = "resident:wang", body = {} })
end)

test("reminders: seven days and one before the end, at nine, once each",
    function()
    local park = open()
    local pass = buy(park)
    day(park, "2026-03-26", "08:59:59")
    tap.equal(reminders(park), "", "before")
    day(park, "2026-04-10")
    tap.equal(reminders(park), "03-26 09:00 D-7, 04-01 09:00 D-1", "both")
    expect(park.world.messages[1], { template = "pass_expires",
        text = "您的停车月卡 (沪A***45) 将于 2026-04-02 零点到期, "
            .. "还有 7 天。" })
    tap.equal(passes(park)[1].id, pass.id, "id")
end)

test("a renewal moves the marks that have not come", function()
    local park = open()
    local pass = buy(park)
    day(park, "2026-03-27")
    park.world:pay(renew(park, pass.id).payment_id)
    day(park, "2026-05-10")
    tap.equal(reminders(park), "03-26 09:00 D-7, 04-25 09:00 D-7, "
        .. "05-01 09:00 D-1", "reminders")
end)

test("the meter counts each calendar month of a pass once", function()
    local park = open()
    local pass = buy(park)
    local function counted()
        local months = {}
        for _, usage in ipairs(park.world.meters) do
            if usage.name == "parking.pass_month" then
                months[#months + 1] = usage.event_id:match "/(.+)$"
            end
        end
        return table.concat(months, " ")
    end
    tap.equal(counted(), "2026-03", "at once")
    day(park, "2026-03-31", "23:59:59")
    tap.equal(counted(), "2026-03", "in its month")
    day(park, "2026-04-01")
    tap.equal(counted(), "2026-03 2026-04", "two days of April")
    park.world:pay(renew(park, pass.id).payment_id)
    tap.equal(counted(), "2026-03 2026-04", "renewed")
    day(park, "2026-06-01")
    tap.equal(counted(), "2026-03 2026-04 2026-05", "until its end")
end)

test("a pass of the first to the first is one month", function()
    local park = open()
    buy(park, { starts_on = "2026-04-01" })
    tap.equal(park.world:metered "parking.pass_month", 0, "before it")
    day(park, "2026-07-01")
    tap.equal(park.world:metered "parking.pass_month", 1, "April")
end)

test("a pass is of one's own plates, as many as the product has", function()
    local park = open()
    local function refused(status, code, change, as)
        local body = { product_id = "monthly", plates = { CAR },
            starts_on = "2026-03-02" }
        for name, value in pairs(change) do
            body[name] = value
        end
        park:refused(status, code, "POST", "/passes",
            { as = as or "resident:wang", body = body })
    end
    refused(404, "parking/plate-unknown", { plates = { OTHER } })
    refused(422, "parking/too-many-plates",
        { plates = { CAR, OTHER, "沪C00001" } })
    refused(404, "parking/product-unknown", { product_id = "gold" })
    refused(422, "parking/time-invalid", { starts_on = "2026-03-01" })
    refused(422, "request/invalid", { concurrent = 2 })
    refused(422, "parking/reason-missing", {}, "staff:s1")
    buy(park)
    refused(409, "parking/pass-overlap", { starts_on = "2026-04-01" })
    buy(park, { starts_on = "2026-04-02" })
    park:refused(404, "parking/pass-unknown", "POST", "/passes/x/renew",
        { as = "resident:wang", body = {} })
end)

test("a misread plate of its holder, corrected, is free", function()
    local park = open()
    local pass = buy(park)
    local id = park:enter("沪A12346", "09:00").session_id
    park:at "10:00"
    expect(park:correct(id, CAR), { pass_id = pass.id })
    expect(park:exit(CAR, "18:00"), { action = "open", due_fen = 0 })
end)

test("the desk sells one, and renews it, with a reason", function()
    local park = open()
    local pass = ask(park, { reason = "现金" }, "staff:s1")
    expect(pass, { state = "active" })
    expect(renew(park, pass.id, "operator:o1", { reason = "现金" }),
        { ends_on = "2026-05-02" })
    park:refused(422, "parking/reason-missing", "POST",
        "/passes/" .. pass.id .. "/renew",
        { as = "operator:o1", body = {} })
    expect(park.world.db:all "audit"[1], { action = "pass",
        collected_fen = 30000, reason = "现金" })
    expect(passes(park)[1], { id = pass.id })
    tap.equal(#passes(park, "resident:li"), 0, "others'")
    day(park, "2026-06-01")
    tap.equal(#park.world.messages, 0, "nobody to remind")
end)

test("another of the household sees it, with its own plates alone",
    function()
    local park = open()
    park.world.residents.wang = { CAR, OTHER }
    buy(park, { plates = { CAR, OTHER } })
    park.world.residents.wang = { CAR }
    local seen = passes(park, "resident:li")[1].plates
    table.sort(seen)
    tap.equal(table.concat(seen, " "), "沪A***45 沪B67890", "plates")
end)

test("fifty cars with passes replay within what one call may do",
    function()
    local park = open()
    local entries, exits, own = {}, {}, {}
    for i = 1, 50 do
        local plate = string.format("沪C%05d", i)
        own[1] = plate
        ask(park, { plates = { plate }, reason = "现金" }, "operator:o1")
        entries[i] = park:event("entry", plate, "09:00")
        exits[i] = park:event("exit", plate, "10:40")
    end
    park:at "12:00"
    park:replay("g2", exits)
    local results = park:replay("g1", entries).results
    tap.check(park.world.host_calls <= 1000,
        park.world.host_calls .. " host calls")
    expect(results[50], { reason = "left", due_fen = 0 })
end)

test("dates that are none, or that no year has, are refused", function()
    local park = open()
    for _, starts_on in ipairs { "2026-04-31", "2027-02-29", "9999-12-31",
        "2100-01-01", "2027-03-03" } do
        park:refused(422, "parking/time-invalid", "POST", "/passes",
            { as = "resident:wang", body = { product_id = "monthly",
                plates = { CAR }, starts_on = starts_on } })
    end
    ask(park, { starts_on = "2027-03-02" })
end)

test("a pass that begins during the stay moves billing to its end too",
    function()
    local park = open()
    buy(park, { starts_on = "2026-03-03" })
    local id = park:enter(CAR, "22:00").session_id
    park:at "23:59:59"
    expect(park:quote(id), { due_fen = 900 })
    day(park, "2026-03-03", "00:00:01")
    expect(park:quote(id), { due_fen = 0 })
    expect(park:exit(CAR, "2026-03-05 09:00"), { action = "open",
        due_fen = 0 })
    id = park:enter(CAR, "2026-03-05 10:00").session_id
    expect(park:exit(CAR, "2026-04-03 00:00:01"), { due_fen = 500 })
end)

test("bought while the car is inside since yesterday", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    day(park, "2026-03-03", "09:00")
    expect(park:quote(id), { due_fen = 6000 })
    buy(park, { starts_on = "2026-03-03" })
    expect(park:exit(CAR, "2026-03-03 09:10"), { action = "open" })
end)

test("an exit before the pass began, told later, is not its", function()
    local park = open()
    buy(park, { starts_on = "2026-03-03" })
    park:enter(CAR, "22:00")
    day(park, "2026-03-03", "01:00")
    expect(park:replay("g2", { park:event("exit", CAR, "23:40") })
        .results[1], { reason = "arrears", due_fen = 900 })
    -- The place is free for the other car.
    expect(park:session(park:enter(CAR, "2026-03-03 02:00").session_id),
        { state = "inside" })
    expect(park:exit(CAR, "2026-03-03 08:00"), { action = "open" })
end)

test("of two that are inside when it begins, the first to come uses it",
    function()
    local park = open()
    local both = ask(park, { plates = { CAR, OTHER }, reason = "现金",
        starts_on = "2026-03-03" }, "staff:s1")
    park:enter(OTHER, "21:00")
    park:enter(CAR, "22:00")
    day(park, "2026-03-03", "00:00:01")
    expect(park:exit(OTHER, "2026-03-03 09:00"), { action = "open" })
    expect(park:exit(CAR, "2026-03-03 09:00"), { action = "hold" })
    tap.equal(both.state, "active", "state")
end)

test("the next pass goes on where the last one ended", function()
    local park = open()
    buy(park)
    buy(park, { starts_on = "2026-04-02" })
    park:enter(CAR, "2026-04-01 22:00")
    expect(park:exit(CAR, "2026-04-04 09:00"), { action = "open" })
end)

tap.finish()
