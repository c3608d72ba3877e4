-- price.lua: the work of the bench, the same file for Linli and for nginx.
--
-- Prices a parking stay in a loop over its 15-minute blocks, day and night
-- rate, with a cap. Written in what Lua 5.4 and LuaJIT share; no division,
-- so that integers stay integers in both. Times are minutes since 1970.

local M = {}

local BLOCK_MIN = 15
local DAY_MIN = 1440
local ZONE_MIN = 480 -- UTC+8

local NUMBERS = {
    "entered_min", "left_min", "free_min", "day_fen", "night_fen",
    "day_from_min", "day_to_min", "cap_fen",
}

-- The answer of GET /hello.
function M.hello()
    return { message = "hello from a little Lua handler", bench = true }
end

-- Returns the quote, or nil for a request it cannot price.
function M.quote(stay)
    if type(stay) ~= "table" or type(stay.session) ~= "string"
        or type(stay.plate) ~= "string" then
        return nil
    end
    for i = 1, #NUMBERS do
        if type(stay[NUMBERS[i]]) ~= "number" then
            return nil
        end
    end
    local minutes = stay.left_min - stay.entered_min
    local blocks, gross_fen = 0, 0
    if minutes > stay.free_min then
        local day_from, day_to = stay.day_from_min, stay.day_to_min
        local day_fen, night_fen = stay.day_fen, stay.night_fen
        local at = (stay.entered_min + ZONE_MIN) % DAY_MIN
        for _ = stay.entered_min, stay.left_min - 1, BLOCK_MIN do
            if at >= day_from and at < day_to then
                gross_fen = gross_fen + day_fen
            else
                gross_fen = gross_fen + night_fen
            end
            blocks = blocks + 1
            at = (at + BLOCK_MIN) % DAY_MIN
        end
    end
    return {
        session = stay.session,
        plate = stay.plate,
        minutes = minutes,
        block_count = blocks,
        gross_fen = gross_fen,
        due_fen = gross_fen < stay.cap_fen and gross_fen or stay.cap_fen,
    }
end

return M
