-- test/test_calendar.lua: days of 23 and 25 hours, and very long stays.

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. here .. "../?.lua;" .. package.path

local civil = require "civil"
local tap = require "tap"
local tariff = require "tariff"

local HOUR = 60 * 60 * 1000
local DAY = 24 * HOUR

local rules = {
    first = { minutes = 60, fee_fen = 100 },
    next = { minutes = 60, fee_fen = 100 },
    cap = { fee_fen = 100000, window = "calendar_day" },
}

-- Counts the blocks of each day of a stay over three days of which the
-- second is `hours` long.
local function blocks_by_day(hours)
    local zone = civil.listed {
        { 0, "a" }, { DAY, "b" }, { DAY + hours * HOUR, "c" },
        { 2 * DAY + hours * HOUR, "d" },
    }
    local quote = tariff.quote(rules,
        { entered_at = 0, left_at = 2 * DAY + hours * HOUR }, zone)
    local count = {}
    for _, line in ipairs(quote.lines) do
        count[line.day] = (count[line.day] or 0) + 1
    end
    return count
end

for _, hours in ipairs { 23, 25 } do
    tap.test("a local day of " .. hours .. " hours is one window", function()
        local count = blocks_by_day(hours)
        tap.equal(count.a, 24, "blocks of the day before")
        tap.equal(count.b, hours, "blocks of the day")
        tap.equal(count.c, 24, "blocks of the day after")
        tap.equal(count.d, nil, "blocks past the stay")
    end)
end

local zone = civil.fixed(8)
local minute_blocks = {
    first = { minutes = 1, fee_fen = 1 },
    next = { minutes = 1, fee_fen = 1 },
    cap = { fee_fen = 1000, window = "calendar_day" },
}
local midnight = civil.parse("2026-03-01T00:00:00+08:00")

local function minutes_parked(n)
    return tariff.quote(minute_blocks,
        { entered_at = midnight, left_at = midnight + n * 60000 }, zone)
end

tap.test("as many block lines as there may be", function()
    local quote = minutes_parked(tariff.BLOCK_LINES_MAX)
    local blocks = 0
    for _, line in ipairs(quote.lines) do
        blocks = blocks + (line.kind == "block" and 1 or 0)
    end
    tap.equal(blocks, tariff.BLOCK_LINES_MAX, "block lines")
end)

tap.test("one block more: a line a window, the same money", function()
    local few = minutes_parked(tariff.BLOCK_LINES_MAX)
    local many = minutes_parked(tariff.BLOCK_LINES_MAX + 1)
    tap.equal(many.gross_fen, few.gross_fen + 1, "gross_fen")
    tap.equal(many.lines[1].kind, "blocks", "kind")
    tap.equal(many.lines[1].fee_fen, 1440, "fee_fen of the first day")
    tap.equal(many.lines[1].from, midnight, "from")
    tap.equal(many.lines[1].to, midnight + DAY, "to")
    tap.equal(many.lines[2].kind, "cap", "kind of the second line")
    tap.equal(many.lines[2].fee_fen, -440, "cap of the first day")
    tap.equal(#many.lines, 6, "lines: three days, each with its cap")
    tap.equal(many.due_fen, 1000 + 1000 + 1121 - 121, "due_fen")
end)

tap.test("the longest stay has bounded lines and exact sums", function()
    local quote = tariff.quote(minute_blocks, { entered_at = midnight,
        left_at = midnight + tariff.STAY_MS_MAX }, zone)
    local days = tariff.STAY_MS_MAX // DAY
    tap.equal(#quote.lines, 2 * days, "lines")
    tap.equal(quote.gross_fen, days * 1440, "gross_fen")
    tap.equal(quote.due_fen, days * 1000, "due_fen")
end)

tap.finish()
