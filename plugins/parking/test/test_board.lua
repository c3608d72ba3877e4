-- test/test_board.lua: the free spaces of a lot, and cars that go in another's
-- wake (spec/parking.md, P40, P13). Each case is a story.

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. package.path

local carpark = require "carpark"
local tap = require "tap"

local CAR, OTHER = carpark.CAR, carpark.OTHER
local expect, test = carpark.expect, tap.test

local function open()
    local config = {}
    for name, value in pairs(carpark.CONFIG) do
        config[name] = value
    end
    config.lots = { p1 = { name = "地下一层", tariff = carpark.TARIFF,
        capacity = 2 }, p2 = carpark.CONFIG.lots.p2 }
    return carpark.open(here .. "..", config)
end

local function board(park)
    for _, item in ipairs(park:ok("GET", "/board",
        { as = "resident:wang" }).items) do
        if item.lot == "p1" then
            return item
        end
    end
end

local function told(park)
    local list = {}
    for _, event in ipairs(park.world.events) do
        if event.type == "parking.free_spaces" then
            list[#list + 1] = event.data.free
        end
    end
    return table.concat(list, " ")
end

test("the board counts who is inside, paid or not", function()
    local park = open()
    expect(board(park), { capacity = 2, inside = 0, free = 2 })
    local id = park:enter(CAR, "09:00").session_id
    park:enter(OTHER, "09:01")
    park:pay(id, "10:00")
    expect(board(park), { inside = 2, free = 0 })
    park:enter("沪C00001", "10:01")
    expect(board(park), { inside = 3, free = 0 })
    park:exit(CAR, "10:02")
    expect(board(park), { inside = 2, free = 0 })
end)

test("signs are told at most every ten seconds", function()
    local park = open()
    park:enter(CAR, "09:00:01")
    park:enter(OTHER, "09:00:05")
    tap.equal(told(park), "", "not yet")
    park:at "09:00:10"
    tap.equal(told(park), "0", "both at once")
    park:exit(CAR, "09:00:11")
    park:at "09:01"
    tap.equal(told(park), "0 1", "one has left")
end)

test("without a capacity nothing is told", function()
    local park = carpark.open(here .. "..")
    park:enter(CAR, "09:00")
    tap.equal(next(park.world.jobs), nil, "jobs")
    tap.equal(board(park).free, nil, "free")
end)

test("who slips in behind another has no entry when it leaves", function()
    local park = open()
    park:enter(CAR, "09:00") -- OTHER is behind it, and no camera sees it
    local exit = park:exit(OTHER, "10:40")
    expect(exit, { action = "hold", reason = "no_entry", due_fen = 5000 })
    tap.equal(park:anomalies(), "no_entry", "anomalies")
    expect(park:close(exit.session_id, { kind = "no_entry" }).closed,
        { collected_fen = 5000 })
end)

test("who slips out behind another is inside when it comes again",
    function()
    local park = open()
    park:enter(CAR, "09:00")
    local id = park:enter(OTHER, "09:00").session_id
    park:pay(park:sessions { plate = CAR }[1].id, "10:40")
    park:exit(CAR, "10:41")
    expect(park:exit(OTHER, "10:41"), { action = "hold", due_fen = 900 })
    expect(park:enter(OTHER, "18:00"), { action = "hold",
        reason = "already_inside", session_id = id })
    park:close(id, { kind = "forced" })
    expect(park:enter(OTHER, "18:01"), { action = "open" })
end)

tap.finish()
