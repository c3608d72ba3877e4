-- test/test_route.lua: the simulate route, whole.

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. package.path

local carpark = require "carpark"
local tap = require "tap"

local park = carpark.open(here .. "..")
park:at "12:00"

-- Returns status and body, or the status, the problem's code and detail.
local function simulate(body, lot)
    return park.world:request("POST",
        "/tariffs/" .. (lot or "p1") .. "/simulate",
        { as = "operator:o1", body = body })
end

local function body(change)
    local b = {
        entered_at = "2026-03-01T09:00:00+08:00",
        left_at = "2026-03-01T10:40:00+08:00",
        plate_type = "blue",
    }
    for name, value in pairs(change or {}) do
        b[name] = value
    end
    return b
end

tap.test("simulate answers a quote with nothing paid", function()
    local status, quote = simulate(body())
    tap.equal(status, 200, "status")
    tap.equal(quote.due_fen, 900, "due_fen")
    tap.equal(quote.paid_fen, 0, "paid_fen")
    tap.equal(quote.special, false, "special")
    tap.equal(quote.expires_at, carpark.text "12:05", "expires_at")
    tap.equal(#quote.lines, 3, "lines")
    tap.equal(quote.lines[3].from, "2026-03-01T10:30:00+08:00", "from")
    tap.equal(quote.lines[3].to, "2026-03-01T11:00:00+08:00", "to")
end)

tap.test("times leave in the community's zone", function()
    local _, quote = simulate(body {
        entered_at = "2026-03-01T01:00:00+00:00",
        left_at = "2026-02-28T20:40:00-06:00",
    })
    tap.equal(quote.due_fen, 900, "due_fen")
    tap.equal(quote.lines[1].from, "2026-03-01T09:00:00+08:00", "from")
end)

tap.test("a tariff in the body is used instead, for any lot", function()
    local prices = { first = { minutes = 60, fee_fen = 1 },
        next = { minutes = 60, fee_fen = 1 } }
    local status, quote = simulate(body { tariff = prices }, "not-built-yet")
    tap.equal(status, 200, "status")
    tap.equal(quote.due_fen, 2, "due_fen")
end)

tap.test("pass, coupons and plate reach the tariff", function()
    local _, quote = simulate(body {
        pass_until = "2026-03-01T10:00:00+08:00",
        coupons = { { kind = "money", amount_fen = 100 } },
    })
    tap.equal(quote.due_fen, 400, "due_fen")
    local _, special = simulate(body {
        plate = "沪A1234警",
        tariff = {
            first = { minutes = 60, fee_fen = 1 },
            next = { minutes = 60, fee_fen = 1 },
            special_plates = { "警" },
        },
    })
    tap.equal(special.special, true, "special")
end)

tap.test("a lot that is not configured", function()
    local status, code = simulate(body(), "p7")
    tap.equal(status, 404, "status")
    tap.equal(code, "parking/lot-unknown", "code")
end)

tap.test("no configuration at all", function()
    local with = park
    park = carpark.open(here .. "..", {})
    local _, code = simulate(body())
    park = with
    tap.equal(code, "parking/lot-unknown", "code")
end)

for _, name in ipairs { "entered_at", "left_at", "pass_until" } do
    tap.test("a " .. name .. " that is no time", function()
        local _, code, detail =
            simulate(body { [name] = "2026-03-01 09:00:00+08:00" })
        tap.equal(code, "parking/time-invalid", "code")
        tap.check(detail:find(name, 1, true), "the detail names " .. name)
    end)
end

tap.test("left before entered", function()
    local _, code = simulate(body { left_at = "2026-03-01T08:59:59+08:00" })
    tap.equal(code, "parking/stay-invalid", "code")
end)

tap.test("the longest stay is priced, a second more is refused", function()
    local status = simulate(body { left_at = "2031-03-05T09:00:00+08:00" })
    tap.equal(status, 200, "status")
    local _, code = simulate(body { left_at = "2031-03-05T09:00:01+08:00" })
    tap.equal(code, "parking/stay-too-long", "code")
end)

tap.finish()
