-- tariff.lua: what a stay costs. Pure: no clock, no zone, no storage.
--
-- A tariff and a stay go in, a quote comes out. Every rule is a numbered
-- statement of spec/tariff.md, cited here as T1, T2 ... Instants are integer
-- milliseconds since 1970, money is integer fen. What a local day is, the
-- caller says through `calendar`. Runs under any Lua 5.4.

local M = {}

local MINUTE = 60 * 1000
local DAY = 24 * 60 * MINUTE

-- Longest stay that is priced. Five years of daily windows with their cap
-- lines stay under a response of 1 MiB.
M.STAY_MS_MAX = 1830 * DAY

-- Up to this many blocks a quote has one line a block; past it one line a
-- window (T17), so that a car left for a year can still be paid for.
M.BLOCK_LINES_MAX = 4000

-- What an absent member of a tariff means. plugin.json states the same as
-- `default`; a test compares them.
M.DEFAULTS = {
    free_minutes = 0,
    free_mode = "threshold",
    exit_grace_minutes = 15,
    free_after_pass_expiry = false,
    lost_fee_fen = 0,
    special_plates = {},
}

---@class parking.Block
---@field minutes integer 1 or more
---@field fee_fen integer

---@class parking.Cap
---@field fee_fen integer
---@field window "calendar_day"|"rolling_24h"

---@class parking.Tariff  as plugin.json's schema admits it
---@field free_minutes integer?
---@field free_mode "threshold"|"deduct"|nil
---@field first parking.Block
---@field next parking.Block
---@field cap parking.Cap?
---@field exit_grace_minutes integer?
---@field free_after_pass_expiry boolean?
---@field lost_fee_fen integer?
---@field special_plates string[]?

---@class parking.Coupon
---@field kind "time"|"money"
---@field minutes integer?     of a time coupon
---@field amount_fen integer?  of a money coupon

---@class parking.Stay
---@field entered_at integer
---@field left_at integer        not before entered_at
---@field plate string?
---@field free boolean?          owes nothing, whatever the tariff says
---@field special boolean?       the same, because of its plate
---@field pass_until integer?    the pass is valid before this instant
---@field coupons parking.Coupon[]?
---@field paid_fen integer?      already paid for this stay
---@field leave_before integer?  end of the grace after that payment

---@class parking.Line
---@field kind "block"|"blocks"|"cap"|"coupon"
---@field from integer
---@field to integer
---@field fee_fen integer
---@field day string

---@class parking.Quote
---@field minutes integer
---@field gross_fen integer
---@field discount_fen integer
---@field paid_fen integer
---@field due_fen integer
---@field special boolean
---@field lines parking.Line[]

---@class parking.Calendar
---@field day fun(at: integer): string             local date, "2026-03-01"
---@field next_midnight fun(at: integer): integer  first one after `at`

-- JSON Schema calls 60.0 an integer, Lua does not: one float in a tariff
-- would turn every sum into "900.0".
local function int(value)
    return math.tointeger(value) or error("not an integer: " .. tostring(value))
end

local function span(minutes)
    return int(minutes) * MINUTE
end

-- The length of a block in milliseconds, and its fee.
local function size(block)
    return span(block.minutes), int(block.fee_fen)
end

local function ceil_div(a, b)
    return (a + b - 1) // b
end

local function option(tariff, name)
    local value = tariff[name]
    if value == nil then
        return M.DEFAULTS[name]
    end
    return value
end

-- T13. Plain text, not a pattern: a plate is data.
---@param tariff parking.Tariff
---@param plate string?
---@return boolean
function M.is_special(tariff, plate)
    if not plate then
        return false
    end
    for _, text in ipairs(option(tariff, "special_plates")) do
        if string.find(plate, text, 1, true) then
            return true
        end
    end
    return false
end

-- T3 to T7: the instant from which blocks are laid, at or past the exit where
-- coupons cover the stay; nil if the stay is free.
local function billing_start(tariff, stay)
    local start, left = stay.entered_at, stay.left_at
    local free = span(option(tariff, "free_minutes"))
    local pass = stay.pass_until
    if pass and pass > start then
        start = pass
        if not option(tariff, "free_after_pass_expiry") then
            free = 0
        end
    end
    if left - start <= free then
        return nil
    end
    if option(tariff, "free_mode") == "deduct" then
        start = start + free
    end
    for _, coupon in ipairs(stay.coupons or {}) do
        if coupon.kind == "time" then
            start = start + span(coupon.minutes)
        end
    end
    return start
end

---@class parking.Window  the blocks of one stay that start in one window
---@field day string        local date on which the window starts
---@field from integer      start of its first block
---@field to integer        end of its last block
---@field first boolean     its first block is the stay's first
---@field nexts integer     blocks of `next` in it
---@field gross_fen integer

-- The window that holds `at`: its local date and its end. Without a cap
-- lines are still grouped by local day (T9).
local function window_at(tariff, start, at, calendar)
    if tariff.cap and tariff.cap.window == "rolling_24h" then
        local from = start + (at - start) // DAY * DAY
        return calendar.day(from), from + DAY
    end
    return calendar.day(at), calendar.next_midnight(at)
end

-- T8 to T10. Counts the blocks of each window without walking them: a year
-- of one-minute blocks costs no more than a year of days.
---@return parking.Window[] windows, integer blocks
local function lay_blocks(tariff, start, left, calendar)
    local first_ms, first_fen = size(tariff.first)
    local next_ms, next_fen = size(tariff.next)
    local windows, blocks, at = {}, 0, start
    while at < left do
        local day, window_end = window_at(tariff, start, at, calendar)
        local window = { day = day, from = at, gross_fen = 0 }
        window.first = at == start
        if window.first then
            at = at + first_ms
            window.gross_fen = first_fen
            blocks = blocks + 1
        end
        local stop = math.min(window_end, left)
        window.nexts = math.max(0, ceil_div(stop - at, next_ms))
        at = at + window.nexts * next_ms
        window.to = at
        window.gross_fen = window.gross_fen + window.nexts * next_fen
        blocks = blocks + window.nexts
        windows[#windows + 1] = window
    end
    return windows, blocks
end

local function add_line(quote, kind, fee_fen, from, to, day)
    quote.lines[#quote.lines + 1] =
        { kind = kind, from = from, to = to, fee_fen = fee_fen, day = day }
    if fee_fen < 0 then
        quote.discount_fen = quote.discount_fen - fee_fen
    else
        quote.gross_fen = quote.gross_fen + fee_fen
    end
end

local function add_block_lines(quote, tariff, window)
    local at = window.from
    local function add(block)
        local ms, fee_fen = size(block)
        add_line(quote, "block", fee_fen, at, at + ms, window.day)
        at = at + ms
    end
    if window.first then
        add(tariff.first)
    end
    for _ = 1, window.nexts do
        add(tariff.next)
    end
end

-- T11.
local function add_cap_line(quote, tariff, window)
    local over_fen = window.gross_fen - int(tariff.cap.fee_fen)
    if over_fen > 0 then
        add_line(quote, "cap", -over_fen, window.from, window.to, window.day)
    end
end

-- T12. In the order given; a coupon that finds nothing left has no line.
local function add_coupon_lines(quote, stay, start, calendar)
    for _, coupon in ipairs(stay.coupons or {}) do
        local total_fen = quote.gross_fen - quote.discount_fen
        local off_fen = 0
        if coupon.kind == "money" then
            off_fen = math.min(int(coupon.amount_fen), total_fen)
        end
        if off_fen > 0 then
            local day = calendar.day(start)
            add_line(quote, "coupon", -off_fen, start, stay.left_at, day)
        end
    end
end

local function add_lines(quote, tariff, stay, start, calendar)
    local windows, blocks = lay_blocks(tariff, start, stay.left_at, calendar)
    local folded = blocks > M.BLOCK_LINES_MAX
    for _, window in ipairs(windows) do
        if folded then
            add_line(quote, "blocks", window.gross_fen, window.from, window.to,
                window.day)
        else
            add_block_lines(quote, tariff, window)
        end
        if tariff.cap then
            add_cap_line(quote, tariff, window)
        end
    end
    add_coupon_lines(quote, stay, start, calendar)
end

-- T15: nothing within the grace of a payment, its last instant included.
local function due_fen(quote, stay)
    if stay.leave_before and stay.left_at <= stay.leave_before then
        return 0
    end
    return math.max(0, quote.gross_fen - quote.discount_fen - quote.paid_fen)
end

-- Prices a stay. The stay is in order (left_at not before entered_at, within
-- STAY_MS_MAX) and the tariff has passed its schema.
---@param tariff parking.Tariff
---@param stay parking.Stay
---@param calendar parking.Calendar
---@return parking.Quote
function M.quote(tariff, stay, calendar)
    local quote = {
        minutes = ceil_div(stay.left_at - stay.entered_at, MINUTE),
        gross_fen = 0,
        discount_fen = 0,
        paid_fen = stay.paid_fen or 0,
        due_fen = 0,
        special = stay.special or M.is_special(tariff, stay.plate),
        lines = {},
    }
    if quote.special or stay.free then
        return quote
    end
    local start = billing_start(tariff, stay)
    if start then
        add_lines(quote, tariff, stay, start, calendar)
    end
    quote.due_fen = due_fen(quote, stay)
    return quote
end

return M
