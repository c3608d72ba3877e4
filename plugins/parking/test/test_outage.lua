-- test/test_outage.lua: whatever happens during a time without a network, and
-- in whatever order the gates tell of it afterwards, each visit is one
-- session, priced once. Random visits, told by two gates, each in its own
-- order, some of it twice. The same seed gives the same story:
--
--   lua5.4 plugins/parking/test/test_outage.lua [SEED [COUNT]]

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. package.path

local carpark = require "carpark"
local tap = require "tap"

local MINUTE = 60000
local SEED = tonumber(arg[1] or 20260302)
local COUNT = tonumber(arg[2] or 200)
local PLATES = { carpark.CAR, carpark.OTHER, "沪C00001" }

-- xorshift64*: math.random's sequence is not promised between releases.
local state = SEED ~= 0 and SEED or 1
local function random(low, high)
    state = state ~ (state >> 12)
    state = state ~ (state << 25)
    state = state ~ (state >> 27)
    local word = (state * 0x2545F4914F6CDD1D) >> 11
    return low + word % (high - low + 1)
end

local function clock(minute)
    return string.format("%02d:%02d", minute // 60, minute % 60)
end

-- First hour 5.00, each further half hour 2.00, half an hour free.
local function fee_fen(minutes)
    if minutes <= 30 then
        return 0
    end
    return math.min(3000, 500 + math.max(0, (minutes - 60 + 29) // 30) * 200)
end

-- Visits of each plate one after the other, from midnight on.
local function visits(park)
    local entries, exits, wanted = {}, {}, {}
    for _, plate in ipairs(PLATES) do
        local minute = random(0, 60)
        for _ = 1, random(1, 4) do
            local leaves = minute + random(1, 100)
            entries[#entries + 1] = park:event("entry", plate, clock(minute))
            exits[#exits + 1] = park:event("exit", plate, clock(leaves))
            wanted[#wanted + 1] = plate .. " " .. clock(minute) .. " "
                .. clock(leaves) .. " " .. fee_fen(leaves - minute)
            minute = leaves + random(3, 60)
        end
    end
    table.sort(wanted)
    return entries, exits, table.concat(wanted, "\n")
end

local function by_time(a, b)
    return a.captured_at < b.captured_at
end

-- The gate's next batch; now and then the one before is sent again.
local function send(park, gate, events, sent)
    local batch = {}
    for i = 1, math.min(random(1, 4), #events - sent) do
        batch[i] = events[sent + i]
    end
    for _ = 1, random(1, 2) do
        park:replay(gate, batch)
    end
    return sent + #batch
end

local function replay(park, entries, exits)
    table.sort(entries, by_time)
    table.sort(exits, by_time)
    local entered, left = 0, 0
    while entered < #entries or left < #exits do
        local first = left == #exits
            or entered < #entries and random(1, 2) == 1
        if first then
            entered = send(park, "g1", entries, entered)
        else
            left = send(park, "g2", exits, left)
        end
    end
end

local function found(park)
    local list, owed = {}, {}
    for _, plate in ipairs(PLATES) do
        for _, debt in ipairs(park:arrears(plate)) do
            owed[debt.session_id] = debt.amount_fen
        end
    end
    for _, state_name in ipairs { "inside", "no_entry" } do
        tap.equal(#park:sessions { state = state_name }, 0, state_name)
    end
    for i, s in ipairs(park:sessions { state = "left", limit = "100" }) do
        list[i] = s.plate .. " " .. s.entered_at:sub(12, 16) .. " "
            .. s.left_at:sub(12, 16) .. " " .. s.fee_fen
        tap.equal(owed[s.id] or 0, s.fee_fen, "owed for " .. list[i])
    end
    table.sort(list)
    return table.concat(list, "\n"), #list
end

tap.test(COUNT .. " random outages, seed " .. SEED, function()
    for case = 1, COUNT do
        local park = carpark.open(here .. "..")
        park.world:advance(24 * 60 * MINUTE)
        local entries, exits, wanted = visits(park)
        replay(park, entries, exits)
        local ok, why = pcall(function()
            local got, count = found(park)
            tap.equal(got, wanted, "visits")
            tap.equal(park.world:metered "parking.session_closed", count,
                "closed")
            tap.equal(park.world:metered "parking.gate_event", 2 * count,
                "events")
            tap.equal(park:commands(), "", "commands")
        end)
        if not ok then
            error(string.format("case %d: %s", case, why), 0)
        end
    end
end)

tap.finish()
