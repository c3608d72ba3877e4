-- test/test_random_park.lua: random days of a car park, and what must hold
-- after each step whatever happens: money is conserved, a plate has one open
-- session, nobody leaves owing but in arrears. A failure names its seed:
--
--   lua5.4 plugins/parking/test/test_random_park.lua [SEED [DAYS]]

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. package.path

local carpark = require "carpark"
local tap = require "tap"

local SEED, DAYS = tonumber(arg[1] or 20260302), tonumber(arg[2] or 40)
local STEPS = 60
local PLATES = { "沪A12345", "沪B67890", "沪C00001" }
local MINUTE = 60000

-- xorshift64*, as in test_random.lua.
local state
local function random(low, high)
    state = state ~ (state >> 12)
    state = state ~ (state << 25)
    state = state ~ (state >> 27)
    local word = (state * 0x2545F4914F6CDD1D) >> 11
    return low + word % (high - low + 1)
end

local function one_of(list)
    return list[random(1, #list)]
end

local function now_text(park, ago)
    return os.date("!%Y-%m-%d %H:%M:%S",
        (park.world.now - (ago or 0)) // 1000 + 8 * 3600)
end

local function request(park, method, path, options)
    local status, body = park.world:request(method, path, options)
    assert(status < 500, path .. ": " .. tostring(body))
    return status < 300 and body or nil
end

-- -- what may happen ------------------------------------------------------

local acts = {}

function acts.enter(park)
    request(park, "POST", "/gates/g1/events", { as = "device:g1",
        body = park:event("entry", one_of(PLATES), now_text(park)) })
end

function acts.exit(park)
    request(park, "POST", "/gates/g2/events", { as = "device:g2",
        body = park:event("exit", one_of(PLATES), now_text(park)) })
end

function acts.replay(park)
    local entry = random(1, 2) == 1
    request(park, "POST", entry and "/gates/g1/replay" or "/gates/g2/replay",
        { as = entry and "device:g1" or "device:g2", body = { events = {
            park:event(entry and "entry" or "exit", one_of(PLATES),
                now_text(park, random(0, 90) * MINUTE)) } } })
end

function acts.coupon(park)
    local time = random(1, 2) == 1
    local body = { kind = time and "time" or "money", reason = "x",
        minutes = time and random(1, 90) or nil,
        amount_fen = not time and random(1, 900) or nil }
    local issued = request(park, "POST", "/coupons/issue",
        { as = "operator:o1", body = body })
    table.insert(park.coupons, issued.coupon_ids[1])
end

function acts.ask(park)
    local open = park:sessions()
    local session = #open > 0 and one_of(open)
    if not session then
        return
    end
    local ids = #park.coupons > 0 and random(1, 3) == 1
        and { one_of(park.coupons) } or nil
    local path = "/sessions/" .. session.id
    local quote = request(park, "POST", path .. "/quote",
        { as = "operator:o1", body = { coupon_ids = ids } })
    if quote and random(1, 10) > 1 then
        request(park, "POST", path .. "/payments", { as = "operator:o1",
            body = { quote_id = quote.quote_id } })
    end
end

function acts.pay(park)
    local pending = {}
    for id, payment in pairs(park.world.payments) do
        if payment.state == "pending" then
            pending[#pending + 1] = id
        end
    end
    table.sort(pending)
    if #pending > 0 then
        park.world:pay(one_of(pending))
    end
end
acts.pay_too = acts.pay

function acts.pass(park)
    request(park, "POST", "/passes", { as = "operator:o1", body = {
        product_id = "monthly", plates = { PLATES[1], PLATES[2] },
        starts_on = now_text(park):sub(1, 10), reason = "x" } })
end

function acts.close(park)
    local open = park:sessions { state = random(1, 2) == 1 and "inside"
        or "no_entry" }
    if #open > 0 and random(1, 3) == 1 then
        park:close(one_of(open).id, { kind = "forced" })
    end
end

function acts.correct(park)
    local open = park:sessions { state = "inside" }
    if #open > 0 and random(1, 3) == 1 then
        request(park, "POST", "/sessions/" .. one_of(open).id
            .. "/correct-plate", { as = "staff:s1",
                body = { plate = one_of(PLATES), reason = "x" } })
    end
end

function acts.wait(park)
    park.world:advance(random(1, 40) * MINUTE + random(0, 59) * 1000)
end
acts.wait_too = acts.wait

local NAMES = {}
for name in pairs(acts) do
    NAMES[#NAMES + 1] = name
end
table.sort(NAMES)

-- -- what must hold -------------------------------------------------------

-- What the provider has, less what goes back, is what sessions have paid; and
-- is what the meter has counted, less what went back later than it came.
local function check_money(park)
    local taken_fen, paid_fen = 0, 0
    for _, payment in pairs(park.world.payments) do
        taken_fen = taken_fen + (payment.state == "paid"
            and payment.amount_fen - payment.refunded_fen or 0)
    end
    for _, session in ipairs(park.world.db:all "session") do
        paid_fen = paid_fen + session.paid_fen
    end
    tap.equal(taken_fen, paid_fen, "paid")
    tap.check(park.world:metered "parking.gmv_fen" >= paid_fen, "gmv")
end

local function check_sessions(park)
    local open = {}
    for _, session in ipairs(park.world.db:all "session") do
        local debt = park.world.db.collections.arrear:get(session.id)
        local owed = debt and debt.state == "owed" and debt.amount_fen or 0
        if session.open_plate then
            tap.check(not open[session.open_plate], "two of a plate")
            open[session.open_plate] = true
        end
        if session.state == "left" then
            local grace = session.leave_before
                and session.left_at <= session.leave_before
            tap.check(grace or session.special or session.free
                or session.fee_fen - session.paid_fen <= owed
                or #(session.coupons or {}) > 0, "left owing")
            tap.check(session.paid_fen <= session.fee_fen, "paid too much")
        end
    end
end

local function check_coupons(park)
    for _, coupon in ipairs(park.world.db:all "coupon") do
        local payment = coupon.payment_id
            and park.world.db.collections.payment:get(coupon.payment_id)
        local pending = payment and payment.state == "pending"
        tap.equal(coupon.state == "claimed", pending == true, "claimed")
    end
end

local function live_a_day(seed)
    state = seed
    local park = carpark.open(here .. "..")
    park.coupons = {}
    for _ = 1, STEPS do
        acts[one_of(NAMES)](park)
        check_money(park)
        check_sessions(park)
        check_coupons(park)
    end
    return park.world:metered "parking.gmv_fen"
end

tap.test(DAYS .. " random days from seed " .. SEED, function()
    local gmv_fen = 0
    for day = 0, DAYS - 1 do
        local ok, why = pcall(live_a_day, SEED + day)
        tap.check(ok, string.format("seed %d: %s", SEED + day, why))
        gmv_fen = gmv_fen + why
    end
    tap.check(gmv_fen > 0, "nobody ever paid")
end)

tap.finish()
