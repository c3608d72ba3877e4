-- test/civil.lua: calendars for tests, made without the runtime.
--
-- RFC 3339 text to milliseconds and back for zones of one fixed offset, and
-- a calendar whose days may be 23 or 25 hours long.

local M = {}

local DAY = 24 * 60 * 60 * 1000

-- Days since 1970-01-01 in the proleptic Gregorian calendar, counted from
-- March so that the leap day is the last of its year.
local function days(year, month, day)
    if month <= 2 then
        year, month = year - 1, month + 12
    end
    return 365 * year + year // 4 - year // 100 + year // 400
        + (153 * (month - 3) + 2) // 5 + day - 719469
end

function M.parse(text)
    local y, mo, d, h, mi, s, frac, sign, oh, om = text:match(
        "^(%d%d%d%d)-(%d%d)-(%d%d)T(%d%d):(%d%d):(%d%d)(%.?%d*)"
            .. "([+-])(%d%d):(%d%d)$")
    if not y then
        return nil
    end
    local offset = (tonumber(oh) * 60 + tonumber(om)) * 60000
    if sign == "-" then
        offset = -offset
    end
    local ms = #frac > 1 and math.floor(tonumber("0" .. frac) * 1000) or 0
    local seconds = tonumber(h) * 3600 + tonumber(mi) * 60 + tonumber(s)
    return days(tonumber(y), tonumber(mo), tonumber(d)) * DAY
        + seconds * 1000 + ms - offset
end

-- A zone that never changes: `offset` in hours east of UTC.
function M.fixed(offset)
    local shift = offset * 60 * 60 * 1000
    local suffix = string.format("%s%02d:00", offset < 0 and "-" or "+",
        math.abs(offset))
    local zone = {}
    function zone.day(at)
        return os.date("!%Y-%m-%d", (at + shift) // 1000)
    end
    function zone.from_day(date)
        local at = M.parse(date .. "T00:00:00" .. suffix)
        return at and zone.day(at) == date and at or nil
    end
    function zone.fields(at)
        local local_at = at + shift
        return { hour = local_at % DAY // 3600000 }
    end
    function zone.next_midnight(at)
        return ((at + shift) // DAY + 1) * DAY - shift
    end
    function zone.format(at)
        return os.date("!%Y-%m-%dT%H:%M:%S", (at + shift) // 1000)
            .. (at % 1000 ~= 0 and string.format(".%03d", at % 1000) or "")
            .. suffix
    end
    return zone
end

-- A zone given by its midnights: sorted pairs of instant and date.
function M.listed(midnights)
    local zone = {}
    function zone.day(at)
        local found
        for _, m in ipairs(midnights) do
            if m[1] <= at then
                found = m[2]
            end
        end
        return found
    end
    function zone.next_midnight(at)
        for _, m in ipairs(midnights) do
            if m[1] > at then
                return m[1]
            end
        end
        error("past the listed midnights")
    end
    return zone
end

return M
