-- test/test_vectors.lua: every vector, its lines, and the reference.

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. here .. "../?.lua;" .. package.path

local civil = require "civil"
local reference = require "reference"
local tap = require "tap"
local tariff = require "tariff"

local function instant(text, offset)
    local date, time = text:match("^(%S+) (%S+)$")
    if #time == 5 then
        time = time .. ":00"
    end
    return assert(civil.parse(string.format("%sT%s%s%02d:00", date, time,
        offset < 0 and "-" or "+", math.abs(offset))), text)
end

local function stay_of(v)
    local offset = v.offset or 8
    return {
        entered_at = instant(v.from, offset),
        left_at = instant(v.to, offset),
        pass_until = v.pass and instant(v.pass, offset),
        leave_before = v.leave_before and instant(v.leave_before, offset),
        coupons = v.coupons,
        paid_fen = v.paid_fen,
        plate = v.plate,
    }
end

local function compare_lines(got, wanted, offset)
    tap.equal(#got, #wanted, "number of lines")
    for i, w in ipairs(wanted) do
        local at = "line " .. i .. " "
        tap.equal(got[i].from, instant(w[1], offset), at .. "from")
        tap.equal(got[i].to, instant(w[2], offset), at .. "to")
        tap.equal(got[i].fee_fen, w[3], at .. "fee_fen")
        tap.equal(got[i].day, w[4], at .. "day")
        tap.equal(got[i].kind, w[5] or "block", at .. "kind")
    end
end

local function check_sums(quote)
    local gross, total = 0, 0
    for _, line in ipairs(quote.lines) do
        total = total + line.fee_fen
        gross = gross + math.max(0, line.fee_fen)
    end
    tap.equal(quote.gross_fen, gross, "gross of the lines")
    tap.equal(quote.gross_fen - quote.discount_fen, total, "sum of the lines")
end

-- Milliseconds are too fine to tick through; seconds are not.
local function check_reference(v, stay, quote, zone)
    if stay.left_at % 1000 ~= 0 or v.due ~= quote.due_fen or v.paid_fen then
        return
    end
    local total, gross = reference.total(v.tariff, stay, zone.day, 1000)
    tap.equal(math.tointeger(total), quote.due_fen, "total of the reference")
    tap.equal(math.tointeger(gross), quote.gross_fen, "gross of the reference")
end

for _, v in ipairs(require "vectors") do
    tap.test(v.name, function()
        local zone, stay = civil.fixed(v.offset or 8), stay_of(v)
        local quote = tariff.quote(v.tariff, stay, zone)
        tap.equal(quote.due_fen, v.due, "due_fen")
        for field, member in pairs { gross = "gross_fen", paid = "paid_fen",
            discount = "discount_fen", minutes = "minutes",
            special = "special" } do
            if v[field] ~= nil then
                tap.equal(quote[member], v[field], member)
            end
        end
        if v.lines then
            compare_lines(quote.lines, v.lines, v.offset or 8)
        end
        check_sums(quote)
        check_reference(v, stay, quote, zone)
    end)
end

tap.finish()
