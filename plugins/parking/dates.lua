-- dates.lua: local dates as text, "2026-03-31", and what is so many months or
-- days from one. Pure: which instant a date begins at, linli.time knows.

local M = {}

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function days_in(year, month)
    local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
    return month == 2 and leap and 29 or DAYS[month]
end

local function read(date)
    local year, month, day = date:match "^(%d%d%d%d)-(%d%d)-(%d%d)$"
    return math.tointeger(tonumber(year)), math.tointeger(tonumber(month)),
        math.tointeger(tonumber(day))
end

local function text(year, month, day)
    return string.format("%04d-%02d-%02d", year, month, day)
end

-- The same day of the month, or that month's last: 31 January and a month is
-- 28 February. Count from the first date each time, never on from a result.
---@param date string
---@param months integer
---@return string
function M.add_months(date, months)
    local year, month, day = read(date)
    local count = year * 12 + month - 1 + months
    year, month = count // 12, count % 12 + 1
    return text(year, month, math.min(day, days_in(year, month)))
end

---@param date string
---@param days integer  any, also negative
---@return string
function M.add_days(date, days)
    local year, month, day = read(date)
    day = day + days
    while day < 1 do
        year, month = (year * 12 + month - 2) // 12, (month - 2) % 12 + 1
        day = day + days_in(year, month)
    end
    while day > days_in(year, month) do
        day = day - days_in(year, month)
        year, month = (year * 12 + month) // 12, month % 12 + 1
    end
    return text(year, month, day)
end

-- "2026-03" of "2026-03-31".
---@param date string
---@return string
function M.month(date)
    return date:sub(1, 7)
end

-- The first day of the month after that of `date`.
---@param date string
---@return string
function M.next_month(date)
    return M.add_months(M.month(date) .. "-01", 1)
end

return M
