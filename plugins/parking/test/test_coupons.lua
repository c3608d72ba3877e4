-- test/test_coupons.lua: coupons of merchants (spec/parking.md, P27). Each
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

local function issue(park, body, as)
    body.reason = body.reason or "消费满百"
    return park:ok("POST", "/coupons/issue",
        { as = as or "staff:cafe", body = body }).coupon_ids
end

local function used(park, id, coupon_ids, code)
    park:refused(409, code or "parking/coupon-used", "POST",
        "/sessions/" .. id .. "/quote",
        { as = "resident:wang", body = { coupon_ids = coupon_ids } })
end

test("a time coupon shortens the stay from its start", function()
    local park = open()
    local ids = issue(park, { kind = "time", minutes = 60 })
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    local quote = park:quote(id, nil, ids)
    expect(quote, { minutes = 100, gross_fen = 500, due_fen = 500 })
    expect(quote.lines[1], { from = carpark.text "10:00" })
    park.world:pay(park:payment(id, quote).payment_id)
    expect(park:exit(CAR, "10:50"), { action = "open" })
    expect(park:session(id), { fee_fen = 500, paid_fen = 500 })
end)

test("a money coupon takes from the capped sum, never below nothing",
    function()
    local park = open()
    local ids = issue(park, { kind = "money", amount_fen = 500 })
    local id = park:enter(CAR, "09:00").session_id
    park:at "20:00" -- 4500, capped at 3000
    expect(park:quote(id, nil, ids), { gross_fen = 4500,
        discount_fen = 2000, due_fen = 2500 })
    local large = issue(park, { kind = "money", amount_fen = 9999 })
    expect(park:quote(id, nil, large), { due_fen = 0 })
end)

test("coupons that pay all of it need no provider", function()
    local park = open()
    local ids = issue(park, { kind = "money", amount_fen = 1000 })
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    expect(park:payment(id, park:quote(id, nil, ids)), { amount_fen = 0 })
    expect(park:session(id), { state = "paid", paid_fen = 0,
        leave_before = carpark.text "10:55" })
    tap.equal(next(park.world.payments), nil, "payments")
    tap.equal(park.world:metered "parking.gmv_fen", 0, "gmv")
    expect(park:exit(CAR, "10:55"), { action = "open" })
    used(park, park:enter(CAR, "12:00").session_id, ids)
end)

test("the first payment that is created with a coupon has it", function()
    local park = open()
    local ids = issue(park, { kind = "time", minutes = 60 })
    local mine = park:enter(CAR, "09:00").session_id
    local theirs = park:enter(OTHER, "09:00").session_id
    park:at "10:40"
    local quote = park:quote(mine, nil, ids)
    local other = park:quote(theirs, "resident:li", ids) -- a quote claims none
    park:payment(mine, quote)
    for _, code in ipairs { "payments", "quote" } do
        park:refused(409, "parking/coupon-used", "POST",
            "/sessions/" .. theirs .. "/" .. code, { as = "resident:li",
                body = code == "quote" and { coupon_ids = ids }
                    or { quote_id = other.quote_id } })
    end
end)

test("a payment that expires frees its coupon", function()
    local park = open()
    local ids = issue(park, { kind = "time", minutes = 60 })
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    park:payment(id, park:quote(id, nil, ids))
    park:at "10:44:59"
    used(park, id, ids)
    park:at "10:45"
    expect(park:quote(id, nil, ids), { due_fen = 500 })
end)

test("a payment that the provider refuses frees its coupon", function()
    local park = open()
    local ids = issue(park, { kind = "time", minutes = 60 })
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    local quote = park:quote(id, nil, ids)
    park.world:refuse_next()
    park:refused(409, "parking/payment-refused", "POST",
        "/sessions/" .. id .. "/payments",
        { as = "resident:wang", body = { quote_id = quote.quote_id } })
    park:payment(id, quote)
end)

test("a payment that was not needed frees its coupon", function()
    local park = open()
    local ids = issue(park, { kind = "time", minutes = 60 })
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    local with = park:payment(id, park:quote(id, nil, ids))
    park:pay(id, "10:40")
    park.world:pay(with.payment_id)
    tap.equal(park.world:refunded_fen(), 500, "refunded")
    expect(park:session(id), { paid_fen = 900 })
    park:quote(id, nil, ids)
end)

test("pay with a coupon, dawdle: it is still taken off the whole stay",
    function()
    local park = open()
    local ids = issue(park, { kind = "money", amount_fen = 300 })
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    park.world:pay(park:payment(id, park:quote(id, nil, ids)).payment_id)
    expect(park:session(id), { paid_fen = 600 })
    expect(park:exit(CAR, "11:10"), { action = "hold", due_fen = 200 })
    local more = issue(park, { kind = "time", minutes = 30 })
    expect(park:quote(id, nil, more), { gross_fen = 900,
        discount_fen = 300, paid_fen = 600, due_fen = 0 })
end)

test("a coupon for a plate, or until a time, is for no other", function()
    local park = open()
    local own = issue(park, { kind = "time", minutes = 60, plate = OTHER })
    local short = issue(park, { kind = "time", minutes = 60,
        expires_at = carpark.text "10:00" })
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:00"
    park:refused(404, "parking/coupon-unknown", "POST",
        "/sessions/" .. id .. "/quote",
        { as = "resident:wang", body = { coupon_ids = own } })
    used(park, id, short, "parking/coupon-expired")
end)

test("merchants and operators issue, with a reason that is kept", function()
    local park = open()
    tap.equal(#issue(park, { kind = "time", minutes = 60, count = 3 }), 3,
        "coupons")
    issue(park, { kind = "money", amount_fen = 100 }, "operator:o1")
    expect(park.world.db:all "audit"[1], { action = "coupons", count = 3,
        reason = "消费满百" })
    park:refused(403, "parking/not-a-merchant", "POST", "/coupons/issue",
        { as = "staff:s1", body = { kind = "time", minutes = 1,
            reason = "x" } })
    for _, body in ipairs { { kind = "time", minutes = 60 },
        { kind = "time", amount_fen = 100, reason = "x" },
        { kind = "money", minutes = 60, reason = "x" } } do
        park:refused(422, "request/invalid", "POST", "/coupons/issue",
            { as = "operator:o1", body = body })
    end
end)

test("a coupon named twice in an id that was made up counts once", function()
    local park = open()
    local ids = issue(park, { kind = "money", amount_fen = 300 })
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    local made_up = park:quote(id, nil, ids).quote_id
        :gsub("%.600%.", ".300.") .. "." .. ids[1]
    park:refused(409, "parking/coupon-used", "POST",
        "/sessions/" .. id .. "/payments", { as = "resident:wang",
            body = { quote_id = made_up } })
end)

test("a coupon buys no time for a stay that owes nothing", function()
    local park = open()
    local ids = issue(park, { kind = "money", amount_fen = 100, count = 2 })
    local id = park:enter(CAR, "09:00").session_id
    local function not_taken()
        park:refused(409, "parking/nothing-due", "POST",
            "/sessions/" .. id .. "/payments", { as = "resident:wang",
                body = { quote_id =
                    park:quote(id, nil, { ids[1] }).quote_id } })
    end
    park:at "09:29" -- within the free minutes
    not_taken()
    park:at "09:44"
    expect(park:quote(id), { due_fen = 500 })
    park:pay(id, "09:55")
    park:at "10:10" -- within the grace
    not_taken()
    expect(park:exit(CAR, "10:10:01"), { action = "hold", due_fen = 200 })
end)

tap.finish()
