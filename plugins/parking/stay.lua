-- stay.lua: reads a stay out of a request that has passed its schema, and
-- judges what a schema cannot: instants that exist, in an order that can be.
-- Pure: the reader of RFC 3339 is given.

local tariff = require "tariff"

local M = {}

local function too_long(from, to)
    return to - from > tariff.STAY_MS_MAX
end

-- Returns the stay, or nil with a problem code and a detail.
---@param body table
---@param parse fun(text: string): integer?  RFC 3339 to milliseconds
---@return parking.Stay?, string?, string?
function M.read(body, parse)
    local at = {}
    for _, name in ipairs { "entered_at", "left_at", "pass_until" } do
        if body[name] ~= nil then
            at[name] = parse(body[name])
            if not at[name] then
                return nil, "parking/time-invalid",
                    name .. " is not an RFC 3339 time with an offset"
            end
        end
    end
    if at.left_at < at.entered_at then
        return nil, "parking/stay-invalid", "left_at is before entered_at"
    end
    if too_long(at.entered_at, at.left_at) then
        return nil, "parking/stay-too-long",
            string.format("at most %d days are priced",
                tariff.STAY_MS_MAX // (24 * 60 * 60 * 1000))
    end
    return {
        entered_at = at.entered_at,
        left_at = at.left_at,
        pass_until = at.pass_until,
        plate = body.plate,
        coupons = body.coupons,
    }
end

return M
