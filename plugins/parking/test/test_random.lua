-- test/test_random.lua: random stays against the reference, and what must
-- hold for every one of them. A failure names seed and case, and the same
-- seed gives the same cases under any Lua 5.4:
--
--   lua5.4 plugins/parking/test/test_random.lua [SEED [COUNT]]

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. here .. "../?.lua;" .. package.path

local civil = require "civil"
local reference = require "reference"
local tap = require "tap"
local tariff = require "tariff"

local MINUTE = 60000
local DAY = 24 * 60 * MINUTE
local SEED = tonumber(arg[1] or 20260301)
local COUNT = tonumber(arg[2] or 3000)

-- xorshift64*: math.random's sequence is not promised between releases.
local state = SEED ~= 0 and SEED or 1
local function random(low, high)
    state = state ~ (state >> 12)
    state = state ~ (state << 25)
    state = state ~ (state >> 27)
    local word = (state * 0x2545F4914F6CDD1D) >> 11
    return low + word % (high - low + 1)
end
local function one_of(...)
    return (select(random(1, select("#", ...)), ...))
end
local function chance(percent)
    return random(1, 100) <= percent
end

local zone = civil.fixed(8)
local starts = {}
for _, text in ipairs { "2026-03-01", "2026-12-30", "2028-02-27",
    "2100-02-27" } do
    starts[#starts + 1] = civil.parse(text .. "T00:00:00+08:00")
end

local function random_tariff()
    local t = {
        free_minutes = one_of(0, 1, 15, 30, 61),
        free_mode = one_of("threshold", "deduct"),
        first = { minutes = one_of(1, 15, 60, 61, 720, 1500),
            fee_fen = random(0, 1000) },
        next = { minutes = one_of(1, 7, 15, 30, 60, 1439, 1440),
            fee_fen = random(0, 400) },
        free_after_pass_expiry = chance(50),
        special_plates = chance(10) and { "警", "应急" } or nil,
    }
    if chance(80) then
        t.cap = { fee_fen = random(0, 5000),
            window = one_of("calendar_day", "rolling_24h") }
    end
    return t
end

local function random_coupons(stay_minutes)
    local list = {}
    for i = 1, one_of(0, 0, 1, 2, 3) do
        if chance(50) then
            list[i] = { kind = "time",
                minutes = random(1, math.max(1, stay_minutes)) }
        else
            list[i] = { kind = "money", amount_fen = random(1, 4000) }
        end
    end
    return list
end

-- A stay of whole ticks. The ticks are minutes for long stays, single
-- seconds for short ones: the reference walks each of them.
local function random_stay()
    local tick = chance(70) and MINUTE or 1000
    local ticks = tick == MINUTE and random(0, 4 * 1440) or random(0, 9000)
    local entered = one_of(table.unpack(starts))
        + random(0, 3 * DAY // tick) * tick
    local stay = {
        entered_at = entered,
        left_at = entered + ticks * tick,
        plate = one_of("沪A12345", "沪A1234警", nil),
    }
    stay.coupons = random_coupons(ticks * tick // MINUTE)
    if chance(30) then
        stay.pass_until = entered + random(-60, ticks + 60) * tick
    end
    return stay, tick
end

local function check_lines(quote, rules, stay)
    local total, at, capped = 0, nil, {}
    for _, line in ipairs(quote.lines) do
        total = total + line.fee_fen
        if line.kind == "block" or line.kind == "blocks" then
            tap.check(at == nil or line.from == at, "blocks lie end to end")
            tap.check(line.from < stay.left_at, "no block begins at exit")
            tap.check(line.from >= stay.entered_at, "none before entry")
            at = line.to
        else
            tap.check(line.fee_fen < 0, "caps and coupons are negative")
        end
        if line.kind ~= "coupon" then
            capped[line.day] = (capped[line.day] or 0) + line.fee_fen
        end
    end
    tap.check(at == nil or at >= stay.left_at, "blocks reach the exit")
    tap.equal(quote.due_fen, total, "sum of the lines")
    tap.equal(quote.gross_fen - quote.discount_fen, total, "total")
    for _, sum in pairs(capped) do
        tap.check(not rules.cap or sum <= rules.cap.fee_fen,
            "no window is above its cap")
    end
end

local function check_against_reference(quote, rules, stay, tick)
    local total, gross, buckets = reference.total(rules, stay, zone.day, tick)
    tap.equal(quote.due_fen, total, "due_fen and reference")
    tap.equal(quote.gross_fen, gross, "gross_fen and reference")
    local windows = {}
    for _, line in ipairs(quote.lines) do
        if line.kind ~= "coupon" then
            windows[line.day] = (windows[line.day] or 0) + line.fee_fen
        end
    end
    local sums, wanted = 0, 0
    for _, sum in pairs(windows) do
        sums = sums + sum
    end
    for _, sum in pairs(buckets) do
        wanted = wanted + sum
    end
    tap.equal(sums, wanted, "windows and reference")
end

-- Whoever leaves later never owes less.
local function check_monotone(quote, rules, stay)
    local later = {}
    for name, value in pairs(stay) do
        later[name] = value
    end
    for _, more in ipairs { 1, 1000, MINUTE, 31 * MINUTE, DAY } do
        later.left_at = stay.left_at + more
        local due = tariff.quote(rules, later, zone).due_fen
        tap.check(due >= quote.due_fen, "leaving later costs no less")
    end
end

-- The same fold the plugin makes for very long stays, forced on short ones.
local function check_fold(quote, rules, stay)
    local bound = tariff.BLOCK_LINES_MAX
    tariff.BLOCK_LINES_MAX = 0
    local folded = tariff.quote(rules, stay, zone)
    tariff.BLOCK_LINES_MAX = bound
    tap.equal(folded.due_fen, quote.due_fen, "folded due_fen")
    tap.equal(folded.gross_fen, quote.gross_fen, "folded gross_fen")
    local total = 0
    for _, line in ipairs(folded.lines) do
        tap.check(line.kind ~= "block", "no block line when folded")
        total = total + line.fee_fen
    end
    tap.equal(total, folded.due_fen, "folded sum of the lines")
end

local function describe(value)
    if type(value) ~= "table" then
        return tostring(value)
    end
    local parts = {}
    for name, member in pairs(value) do
        parts[#parts + 1] = name .. "=" .. describe(member)
    end
    table.sort(parts)
    return "{" .. table.concat(parts, " ") .. "}"
end

tap.test(COUNT .. " random stays, seed " .. SEED, function()
    local billed = 0
    for case = 1, COUNT do
        local rules = random_tariff()
        local stay, tick = random_stay()
        local ok, why = pcall(function()
            local quote = tariff.quote(rules, stay, zone)
            check_lines(quote, rules, stay)
            check_against_reference(quote, rules, stay, tick)
            check_monotone(quote, rules, stay)
            check_fold(quote, rules, stay)
            billed = billed + (quote.gross_fen > 0 and 1 or 0)
        end)
        if not ok then
            error(string.format("case %d: %s\ntariff %s\nstay %s", case,
                tostring(why), describe(rules), describe(stay)), 0)
        end
    end
    tap.check(billed > COUNT // 2, "most of the random stays are billed")
end)

tap.finish()
