-- test/vectors.lua: stays and what they owe, worked out by hand.
--
-- Times are local, "2026-03-01 09:00" with optional seconds, at UTC+8 unless
-- `offset` (hours) says otherwise. `due` is required; other results are
-- compared where given. A line is { from, to, fee_fen, day, kind }; kind
-- "block" may be left out.

local function tariff(change)
    local t = {
        free_minutes = 30,
        free_mode = "threshold",
        first = { minutes = 60, fee_fen = 500 },
        next = { minutes = 30, fee_fen = 200 },
        cap = { fee_fen = 3000, window = "calendar_day" },
        exit_grace_minutes = 15,
        free_after_pass_expiry = false,
        lost_fee_fen = 5000,
        special_plates = { "警", "应急" },
    }
    for name, value in pairs(change or {}) do
        t[name] = value
    end
    return t
end

local threshold = tariff()
local deduct = tariff { free_mode = "deduct" }
local no_free = tariff { free_minutes = 0 }
local rolling = tariff { cap = { fee_fen = 3000, window = "rolling_24h" } }
local rolling_deduct = tariff {
    free_mode = "deduct",
    cap = { fee_fen = 3000, window = "rolling_24h" },
}
local uncapped = tariff()
uncapped.cap = nil
local after_pass = tariff { free_after_pass_expiry = true }
local after_pass_deduct = tariff {
    free_after_pass_expiry = true,
    free_mode = "deduct",
}
local bare = {
    first = { minutes = 60, fee_fen = 500 },
    next = { minutes = 30, fee_fen = 200 },
}
local floats = {
    free_minutes = 30.0,
    first = { minutes = 60.0, fee_fen = 500.0 },
    next = { minutes = 30.0, fee_fen = 200.0 },
    cap = { fee_fen = 600.0, window = "calendar_day" },
}

local function minutes(n)
    return { kind = "time", minutes = n }
end
local function money(n)
    return { kind = "money", amount_fen = n }
end

local DAY1 = "2026-03-01"

return {
    -- The issue's own example.
    { name = "threshold: 100 minutes owe 9.00", tariff = threshold,
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 900, gross = 900, discount = 0, minutes = 100, lines = {
        { "2026-03-01 09:00", "2026-03-01 10:00", 500, DAY1 },
        { "2026-03-01 10:00", "2026-03-01 10:30", 200, DAY1 },
        { "2026-03-01 10:30", "2026-03-01 11:00", 200, DAY1 } } },
    { name = "deduct: 100 minutes owe 7.00", tariff = deduct,
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 700, gross = 700, discount = 0, minutes = 100, lines = {
        { "2026-03-01 09:30", "2026-03-01 10:30", 500, DAY1 },
        { "2026-03-01 10:30", "2026-03-01 11:00", 200, DAY1 } } },

    -- The free rule, to the millisecond.
    { name = "threshold: one second short of free", tariff = threshold,
      from = "2026-03-01 09:00", to = "2026-03-01 09:29:59",
      due = 0, minutes = 30, lines = {} },
    { name = "threshold: exactly free", tariff = threshold,
      from = "2026-03-01 09:00", to = "2026-03-01 09:30",
      due = 0, gross = 0, minutes = 30, lines = {} },
    { name = "threshold: one second over, billed from entry",
      tariff = threshold,
      from = "2026-03-01 09:00", to = "2026-03-01 09:30:01",
      due = 500, minutes = 31, lines = {
        { "2026-03-01 09:00", "2026-03-01 10:00", 500, DAY1 } } },
    { name = "threshold: one millisecond over", tariff = threshold,
      from = "2026-03-01 09:00", to = "2026-03-01 09:30:00.001",
      due = 500, minutes = 31 },
    { name = "deduct: exactly free", tariff = deduct,
      from = "2026-03-01 09:00", to = "2026-03-01 09:30",
      due = 0, lines = {} },
    { name = "deduct: one second over, billed from entry and free",
      tariff = deduct,
      from = "2026-03-01 09:00", to = "2026-03-01 09:30:01",
      due = 500, lines = {
        { "2026-03-01 09:30", "2026-03-01 10:30", 500, DAY1 } } },
    { name = "seconds of entry stay in the blocks", tariff = threshold,
      from = "2026-03-01 09:00:20", to = "2026-03-01 10:00:21",
      due = 700, minutes = 61, lines = {
        { "2026-03-01 09:00:20", "2026-03-01 10:00:20", 500, DAY1 },
        { "2026-03-01 10:00:20", "2026-03-01 10:30:20", 200, DAY1 } } },

    -- Stays of no length, and of hardly any.
    { name = "zero length owes nothing", tariff = no_free,
      from = "2026-03-01 09:00", to = "2026-03-01 09:00",
      due = 0, minutes = 0, lines = {} },
    { name = "no free minutes: a millisecond starts a block",
      tariff = no_free,
      from = "2026-03-01 09:00", to = "2026-03-01 09:00:00.001",
      due = 500, minutes = 1 },

    -- Blocks.
    { name = "a block starting exactly at exit is not started",
      tariff = threshold,
      from = "2026-03-01 09:00", to = "2026-03-01 10:00", due = 500 },
    { name = "a second into the next block", tariff = threshold,
      from = "2026-03-01 09:00", to = "2026-03-01 10:00:01", due = 700 },
    { name = "exactly two blocks", tariff = threshold,
      from = "2026-03-01 09:00", to = "2026-03-01 10:30", due = 700 },
    { name = "absent members have their defaults", tariff = bare,
      from = "2026-03-01 09:00", to = "2026-03-01 09:00:01", due = 500 },
    { name = "integers written with a fraction stay integers",
      tariff = floats,
      from = "2026-03-01 09:00", to = "2026-03-01 10:30", due = 600,
      gross = 700, discount = 100,
      coupons = { { kind = "time", minutes = 1.0 } }, lines = {
        { "2026-03-01 09:01", "2026-03-01 10:01", 500, DAY1 },
        { "2026-03-01 10:01", "2026-03-01 10:31", 200, DAY1 },
        { "2026-03-01 09:01", "2026-03-01 10:31", -100, DAY1, "cap" } } },
    { name = "a price per visit is one long block",
      tariff = tariff { first = { minutes = 525600, fee_fen = 1000 } },
      from = "2026-03-01 09:00", to = "2026-03-20 09:00",
      due = 1000 },
    { name = "a free first block is a line of nothing",
      tariff = tariff { first = { minutes = 60, fee_fen = 0 } },
      from = "2026-03-01 09:00", to = "2026-03-01 10:10",
      due = 200, lines = {
        { "2026-03-01 09:00", "2026-03-01 10:00", 0, DAY1 },
        { "2026-03-01 10:00", "2026-03-01 10:30", 200, DAY1 } } },

    -- Caps of local days.
    { name = "cap reached exactly: no cap line",
      tariff = tariff { cap = { fee_fen = 700, window = "calendar_day" } },
      from = "2026-03-01 09:00", to = "2026-03-01 10:00:01",
      due = 700, discount = 0, lines = {
        { "2026-03-01 09:00", "2026-03-01 10:00", 500, DAY1 },
        { "2026-03-01 10:00", "2026-03-01 10:30", 200, DAY1 } } },
    { name = "cap exceeded by one fen",
      tariff = tariff { cap = { fee_fen = 899, window = "calendar_day" } },
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 899, gross = 900, discount = 1, lines = {
        { "2026-03-01 09:00", "2026-03-01 10:00", 500, DAY1 },
        { "2026-03-01 10:00", "2026-03-01 10:30", 200, DAY1 },
        { "2026-03-01 10:30", "2026-03-01 11:00", 200, DAY1 },
        { "2026-03-01 09:00", "2026-03-01 11:00", -1, DAY1, "cap" } } },
    { name = "cap of one day", tariff = threshold,
      from = "2026-03-01 09:00", to = "2026-03-01 20:00",
      due = 3000, gross = 4500, discount = 1500 },
    { name = "across midnight, cap not reached", tariff = threshold,
      from = "2026-03-01 22:00", to = "2026-03-02 02:00",
      due = 1700, gross = 1700 },
    { name = "a block belongs to the day of its start", tariff = threshold,
      from = "2026-03-01 23:15", to = "2026-03-02 00:40",
      due = 700, lines = {
        { "2026-03-01 23:15", "2026-03-02 00:15", 500, "2026-03-01" },
        { "2026-03-02 00:15", "2026-03-02 00:45", 200, "2026-03-02" } } },
    { name = "a block starting at midnight belongs to the new day",
      tariff = tariff { cap = { fee_fen = 600, window = "calendar_day" } },
      from = "2026-03-01 22:30", to = "2026-03-02 00:01",
      due = 800, gross = 900, discount = 100, lines = {
        { "2026-03-01 22:30", "2026-03-01 23:30", 500, "2026-03-01" },
        { "2026-03-01 23:30", "2026-03-02 00:00", 200, "2026-03-01" },
        { "2026-03-01 22:30", "2026-03-02 00:00", -100, "2026-03-01", "cap" },
        { "2026-03-02 00:00", "2026-03-02 00:30", 200, "2026-03-02" } } },
    { name = "out exactly at midnight starts no new day", tariff = threshold,
      from = "2026-03-01 20:00", to = "2026-03-02 00:00",
      due = 1700 },
    { name = "48 hours touch three days: three caps", tariff = threshold,
      from = "2026-03-01 09:00", to = "2026-03-03 09:00",
      due = 9000, gross = 19300, discount = 10300, minutes = 2880 },
    { name = "a first block longer than a day skips that day",
      tariff = tariff { first = { minutes = 2880, fee_fen = 500 } },
      from = "2026-03-01 12:00", to = "2026-03-03 12:30",
      due = 700, lines = {
        { "2026-03-01 12:00", "2026-03-03 12:00", 500, "2026-03-01" },
        { "2026-03-03 12:00", "2026-03-03 12:30", 200, "2026-03-03" } } },
    { name = "no cap: every block is owed", tariff = uncapped,
      from = "2026-03-01 09:00", to = "2026-03-03 09:00",
      due = 19300, discount = 0 },
    { name = "a cap of nothing makes all of it free",
      tariff = tariff { cap = { fee_fen = 0, window = "calendar_day" } },
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 0, gross = 900, discount = 900 },

    -- Month, year, leap day, zones.
    { name = "across a month", tariff = threshold,
      from = "2026-01-31 23:30", to = "2026-02-01 01:00",
      due = 700, lines = {
        { "2026-01-31 23:30", "2026-02-01 00:30", 500, "2026-01-31" },
        { "2026-02-01 00:30", "2026-02-01 01:00", 200, "2026-02-01" } } },
    { name = "across a month of 30 days, capped", tariff = threshold,
      from = "2026-04-30 12:00", to = "2026-05-01 12:00", due = 6000 },
    { name = "across a year", tariff = threshold,
      from = "2026-12-31 22:30", to = "2027-01-01 00:10",
      due = 900, lines = {
        { "2026-12-31 22:30", "2026-12-31 23:30", 500, "2026-12-31" },
        { "2026-12-31 23:30", "2027-01-01 00:00", 200, "2026-12-31" },
        { "2027-01-01 00:00", "2027-01-01 00:30", 200, "2027-01-01" } } },
    { name = "a leap day is a day with a cap of its own", tariff = threshold,
      from = "2028-02-28 12:00", to = "2028-03-01 12:00", due = 9000 },
    { name = "from a leap day into March", tariff = threshold,
      from = "2028-02-29 23:00", to = "2028-03-01 00:30",
      due = 700, lines = {
        { "2028-02-29 23:00", "2028-03-01 00:00", 500, "2028-02-29" },
        { "2028-03-01 00:00", "2028-03-01 00:30", 200, "2028-03-01" } } },
    { name = "no leap day in a common year", tariff = threshold,
      from = "2026-02-28 12:00", to = "2026-03-01 12:00", due = 6000 },
    { name = "no leap day in 2100", tariff = threshold,
      from = "2100-02-28 12:00", to = "2100-03-01 12:00", due = 6000 },
    { name = "local days, not those of UTC", tariff = threshold,
      from = "2026-03-01 06:00", to = "2026-03-01 20:00", due = 3000 },
    { name = "west of Greenwich", tariff = threshold, offset = -5,
      from = "2026-03-01 23:15", to = "2026-03-02 00:40",
      due = 700, lines = {
        { "2026-03-01 23:15", "2026-03-02 00:15", 500, "2026-03-01" },
        { "2026-03-02 00:15", "2026-03-02 00:45", 200, "2026-03-02" } } },

    -- Rolling windows.
    { name = "rolling: exactly 24 hours are one window", tariff = rolling,
      from = "2026-03-01 09:00", to = "2026-03-02 09:00", due = 3000 },
    { name = "rolling: a second more opens the next", tariff = rolling,
      from = "2026-03-01 09:00", to = "2026-03-02 09:00:01", due = 3200 },
    { name = "rolling: 48 hours are two windows", tariff = rolling,
      from = "2026-03-01 09:00", to = "2026-03-03 09:00",
      due = 6000, gross = 19300, discount = 13300 },
    { name = "rolling: midnight means nothing", tariff = rolling,
      from = "2026-03-01 18:00", to = "2026-03-02 06:00",
      due = 3000, gross = 4900 },
    { name = "rolling: a line's day is that of its window's start",
      tariff = rolling,
      from = "2026-03-01 23:15", to = "2026-03-02 00:40",
      due = 700, lines = {
        { "2026-03-01 23:15", "2026-03-02 00:15", 500, "2026-03-01" },
        { "2026-03-02 00:15", "2026-03-02 00:45", 200, "2026-03-01" } } },
    { name = "rolling: windows run from the billing start",
      tariff = rolling_deduct,
      from = "2026-03-01 09:00", to = "2026-03-02 09:45", due = 3200 },
    { name = "rolling: a coupon of time moves the windows too",
      tariff = rolling, coupons = { minutes(60) },
      from = "2026-03-01 09:00", to = "2026-03-02 10:00", due = 3000 },
    { name = "rolling: a pass moves the windows too", tariff = rolling,
      pass = "2026-03-01 15:00",
      from = "2026-03-01 09:00", to = "2026-03-02 15:00", due = 3000 },
    { name = "rolling: a long block leaves its window without a gap",
      tariff = tariff {
        first = { minutes = 1500, fee_fen = 500 },
        cap = { fee_fen = 600, window = "rolling_24h" } },
      from = "2026-03-01 09:00", to = "2026-03-02 12:00",
      due = 1100, gross = 1300, lines = {
        { "2026-03-01 09:00", "2026-03-02 10:00", 500, "2026-03-01" },
        { "2026-03-02 10:00", "2026-03-02 10:30", 200, "2026-03-02" },
        { "2026-03-02 10:30", "2026-03-02 11:00", 200, "2026-03-02" },
        { "2026-03-02 11:00", "2026-03-02 11:30", 200, "2026-03-02" },
        { "2026-03-02 11:30", "2026-03-02 12:00", 200, "2026-03-02" },
        { "2026-03-02 10:00", "2026-03-02 12:00", -200, "2026-03-02",
          "cap" } } },

    { name = "rolling: the window's day, though its first block starts later",
      tariff = tariff {
        first = { minutes = 1500, fee_fen = 500 },
        cap = { fee_fen = 600, window = "rolling_24h" } },
      from = "2026-03-01 23:00", to = "2026-03-03 00:10",
      due = 700, lines = {
        { "2026-03-01 23:00", "2026-03-03 00:00", 500, "2026-03-01" },
        { "2026-03-03 00:00", "2026-03-03 00:30", 200, "2026-03-02" } } },

    -- Passes.
    { name = "pass over the whole stay", tariff = threshold,
      pass = "2026-04-01 00:00",
      from = "2026-03-01 09:00", to = "2026-03-03 09:00",
      due = 0, minutes = 2880, lines = {} },
    { name = "pass ends exactly at exit", tariff = threshold,
      pass = "2026-03-01 12:00",
      from = "2026-03-01 09:00", to = "2026-03-01 12:00", due = 0 },
    { name = "pass ends a second before exit: no free minutes",
      tariff = threshold, pass = "2026-03-01 12:00",
      from = "2026-03-01 09:00", to = "2026-03-01 12:00:01",
      due = 500, lines = {
        { "2026-03-01 12:00", "2026-03-01 13:00", 500, DAY1 } } },
    { name = "pass ends mid-stay, deduct: no free minutes",
      tariff = deduct, pass = "2026-03-01 12:00",
      from = "2026-03-01 09:00", to = "2026-03-01 12:10",
      due = 500, lines = {
        { "2026-03-01 12:00", "2026-03-01 13:00", 500, DAY1 } } },
    { name = "free again after the pass: exactly free",
      tariff = after_pass, pass = "2026-03-01 12:00",
      from = "2026-03-01 09:00", to = "2026-03-01 12:30", due = 0 },
    { name = "free again after the pass: a second over",
      tariff = after_pass, pass = "2026-03-01 12:00",
      from = "2026-03-01 09:00", to = "2026-03-01 12:30:01",
      due = 500, lines = {
        { "2026-03-01 12:00", "2026-03-01 13:00", 500, DAY1 } } },
    { name = "free again after the pass, deduct",
      tariff = after_pass_deduct, pass = "2026-03-01 12:00",
      from = "2026-03-01 09:00", to = "2026-03-01 12:30:01",
      due = 500, lines = {
        { "2026-03-01 12:30", "2026-03-01 13:30", 500, DAY1 } } },
    { name = "a pass that ended before entry changes nothing",
      tariff = threshold, pass = "2026-03-01 08:00",
      from = "2026-03-01 09:00", to = "2026-03-01 09:30", due = 0 },
    { name = "a pass that ended at entry changes nothing",
      tariff = threshold, pass = "2026-03-01 09:00",
      from = "2026-03-01 09:00", to = "2026-03-01 09:30", due = 0 },
    { name = "pass to midnight, then a capped day", tariff = threshold,
      pass = "2026-03-02 00:00",
      from = "2026-03-01 20:00", to = "2026-03-02 09:00",
      due = 3000, gross = 3700 },

    -- Coupons.
    { name = "time coupon moves the billing start", tariff = threshold,
      coupons = { minutes(60) },
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 500, gross = 500, discount = 0, minutes = 100, lines = {
        { "2026-03-01 10:00", "2026-03-01 11:00", 500, DAY1 } } },
    { name = "the free rule judges the stay, not what a coupon leaves",
      tariff = threshold, coupons = { minutes(80) },
      from = "2026-03-01 09:00", to = "2026-03-01 10:40", due = 500 },
    { name = "time coupon covers all of it, exactly", tariff = threshold,
      coupons = { minutes(100) },
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 0, lines = {} },
    { name = "time coupon longer than the stay", tariff = threshold,
      coupons = { minutes(600) },
      from = "2026-03-01 09:00", to = "2026-03-01 10:40", due = 0 },
    { name = "time coupons add up", tariff = threshold,
      coupons = { minutes(30), minutes(40) },
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 500, lines = {
        { "2026-03-01 10:10", "2026-03-01 11:10", 500, DAY1 } } },
    { name = "deducted minutes and time coupon add up", tariff = deduct,
      coupons = { minutes(60) },
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 500, lines = {
        { "2026-03-01 10:30", "2026-03-01 11:30", 500, DAY1 } } },
    { name = "pass and time coupon add up", tariff = threshold,
      pass = "2026-03-01 12:00", coupons = { minutes(60) },
      from = "2026-03-01 09:00", to = "2026-03-01 13:30",
      due = 500, lines = {
        { "2026-03-01 13:00", "2026-03-01 14:00", 500, DAY1 } } },
    { name = "time coupon past midnight moves blocks into the new day",
      tariff = threshold, coupons = { minutes(120) },
      from = "2026-03-01 22:30", to = "2026-03-02 01:30",
      due = 500, lines = {
        { "2026-03-02 00:30", "2026-03-02 01:30", 500, "2026-03-02" } } },
    { name = "money coupon", tariff = threshold, coupons = { money(300) },
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 600, gross = 900, discount = 300 },
    { name = "money coupon never goes below nothing", tariff = threshold,
      coupons = { money(3000) },
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 0, gross = 900, discount = 900, lines = {
        { "2026-03-01 09:00", "2026-03-01 10:00", 500, DAY1 },
        { "2026-03-01 10:00", "2026-03-01 10:30", 200, DAY1 },
        { "2026-03-01 10:30", "2026-03-01 11:00", 200, DAY1 },
        { "2026-03-01 09:00", "2026-03-01 10:40", -900, DAY1, "coupon" } } },
    { name = "a coupon's day is the day on which billing starts",
      tariff = threshold, coupons = { money(50) },
      from = "2026-03-01 23:15", to = "2026-03-02 00:40",
      due = 650, lines = {
        { "2026-03-01 23:15", "2026-03-02 00:15", 500, "2026-03-01" },
        { "2026-03-02 00:15", "2026-03-02 00:45", 200, "2026-03-02" },
        { "2026-03-01 23:15", "2026-03-02 00:40", -50, "2026-03-01",
          "coupon" } } },
    { name = "money coupon comes after the cap", tariff = threshold,
      coupons = { money(500) },
      from = "2026-03-01 09:00", to = "2026-03-01 20:00",
      due = 2500, gross = 4500, discount = 2000 },
    { name = "the second money coupon takes what is left, the third nothing",
      tariff = deduct, coupons = { money(500), money(700), money(1) },
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 0, gross = 700, discount = 700, lines = {
        { "2026-03-01 09:30", "2026-03-01 10:30", 500, DAY1 },
        { "2026-03-01 10:30", "2026-03-01 11:00", 200, DAY1 },
        { "2026-03-01 09:30", "2026-03-01 10:40", -500, DAY1, "coupon" },
        { "2026-03-01 09:30", "2026-03-01 10:40", -200, DAY1, "coupon" } } },
    { name = "time, cap and money, in that order whatever the list says",
      tariff = threshold, coupons = { money(100), minutes(120) },
      from = "2026-03-01 09:00", to = "2026-03-01 20:00",
      due = 2900, gross = 3700, discount = 800 },
    { name = "coupons on a free stay leave no line", tariff = threshold,
      coupons = { money(100), minutes(10) },
      from = "2026-03-01 09:00", to = "2026-03-01 09:20",
      due = 0, discount = 0, lines = {} },

    -- Special plates.
    { name = "special plate", tariff = threshold, plate = "沪A1234警",
      from = "2026-03-01 09:00", to = "2026-03-03 09:00",
      due = 0, gross = 0, special = true, minutes = 2880, lines = {} },
    { name = "special plate, second text", tariff = threshold,
      plate = "沪X123应急",
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 0, special = true },
    { name = "ordinary plate", tariff = threshold, plate = "沪A12345",
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 900, special = false },
    { name = "a special text is text, not a pattern",
      tariff = tariff { special_plates = { ".", "%d" } },
      plate = "沪A12345",
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 900, special = false },

    -- After a payment.
    { name = "what is paid is taken off", tariff = threshold,
      paid_fen = 700, leave_before = "2026-03-01 10:30",
      from = "2026-03-01 09:00", to = "2026-03-01 10:40",
      due = 200, gross = 900, discount = 0, paid = 700 },
    { name = "the last instant of the grace is within it",
      tariff = threshold, paid_fen = 500,
      leave_before = "2026-03-01 10:15",
      from = "2026-03-01 09:00", to = "2026-03-01 10:15", due = 0 },
    { name = "a millisecond past the grace", tariff = threshold,
      paid_fen = 500, leave_before = "2026-03-01 10:15",
      from = "2026-03-01 09:00", to = "2026-03-01 10:15:00.001",
      due = 200 },
    { name = "free minutes do not begin again after a payment",
      tariff = threshold, paid_fen = 900,
      leave_before = "2026-03-01 10:55",
      from = "2026-03-01 09:00", to = "2026-03-01 11:05", due = 200 },
    { name = "paid more than is owed", tariff = threshold, paid_fen = 5000,
      from = "2026-03-01 09:00", to = "2026-03-01 10:40", due = 0 },
}
