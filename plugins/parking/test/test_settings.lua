-- test/test_settings.lua: stored tariffs and lists of plates (spec/parking.md,
-- P1, P10). Each case is a story.

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. package.path

local carpark = require "carpark"
local tap = require "tap"

local CAR, OTHER = carpark.CAR, carpark.OTHER
local expect, test = carpark.expect, tap.test
local OPERATOR = "operator:o1"

local function open()
    return carpark.open(here .. "..")
end

local function tariff(fee_fen)
    return { first = { minutes = 60, fee_fen = fee_fen },
        next = { minutes = 60, fee_fen = fee_fen } }
end

local function put(park, lot, fee_fen, if_match)
    return park.world:request("PUT", "/tariffs/" .. lot,
        { as = OPERATOR, body = tariff(fee_fen), if_match = if_match })
end

test("without If-Match a tariff is stored, and none is replaced", function()
    local park = open()
    local status, body, headers = put(park, "p7", 100)
    tap.equal(status, 201, "status")
    expect(body, { lot = "p7", version = 1 })
    tap.equal(headers.etag, "1", "etag")
    local again, code = put(park, "p7", 200)
    tap.equal(again, 428, "status")
    tap.equal(code, "parking/if-match-missing", "code")
end)

test("with the version that is there it is replaced", function()
    local park = open()
    put(park, "p7", 100)
    local status, body, headers = put(park, "p7", 200, "1")
    tap.equal(status, 200, "status")
    tap.equal(body.version, 2, "version")
    tap.equal(headers.etag, "2", "etag")
    tap.equal(put(park, "p7", 300, "*"), 200, "status with *")
    local _, got, got_headers = park.world:request("GET", "/tariffs/p7",
        { as = OPERATOR })
    tap.equal(got.tariff.first.fee_fen, 300, "fee_fen")
    tap.equal(got_headers.etag, "3", "etag of GET")
end)

test("another version, or one of nothing, is stale", function()
    local park = open()
    put(park, "p7", 100)
    for lot, if_match in pairs { p7 = "0", p8 = "1", p9 = "*" } do
        local status, code = put(park, lot, 200, if_match)
        tap.equal(status, 412, "status of " .. lot)
        tap.equal(code, "parking/if-match-stale", "code of " .. lot)
    end
end)

test("the configuration's tariff is version 0, until one is stored", function()
    local park = open()
    local _, body, headers = park.world:request("GET", "/tariffs/p1",
        { as = OPERATOR })
    expect(body, { lot = "p1", version = 0 })
    tap.equal(body.tariff.first.fee_fen, 500, "fee_fen")
    tap.equal(headers.etag, "0", "etag")
    tap.equal(put(park, "p1", 100, "0"), 201, "status")
    park:refused(404, "parking/lot-unknown", "GET", "/tariffs/p7",
        { as = OPERATOR })
    park:refused(404, "parking/lot-unknown", "PUT", "/tariffs/-",
        { as = OPERATOR, body = tariff(1) })
end)

test("simulate prices with the stored tariff", function()
    local park = open()
    put(park, "p7", 100)
    put(park, "p1", 100)
    for _, lot in ipairs { "p7", "p1" } do
        local said = park:ok("POST", "/tariffs/" .. lot .. "/simulate",
            { as = OPERATOR, body = { entered_at = carpark.text "09:00",
                left_at = carpark.text "11:00", plate_type = "blue" } })
        tap.equal(said.due_fen, 200, "due_fen in " .. lot)
    end
end)

test("every change of a tariff is kept with its author", function()
    local park = open()
    put(park, "p1", 100)
    put(park, "p1", 200, "1")
    local kept = park:ok("GET", "/audit", { as = OPERATOR }).items
    tap.equal(#kept, 2, "kept")
    for _, item in ipairs(kept) do
        expect(item, { action = "tariff", lot = "p1" })
        tap.equal(item.tariff.first.fee_fen, item.version * 100, "fee_fen")
        tap.equal(item.by.id, "o1", "by")
    end
end)

test("a list is set whole, with a reason, and read again", function()
    local park = open()
    local function set(plates, if_match)
        return park.world:request("PUT", "/lists/allow", { as = OPERATOR,
            body = { plates = plates, reason = "业主" },
            if_match = if_match })
    end
    local _, empty = park.world:request("GET", "/lists/allow",
        { as = OPERATOR })
    expect(empty, { list = "allow", version = 0 })
    tap.equal(#empty.plates, 0, "plates")
    set { CAR }
    local _, body, headers = set({ OTHER, "沪C00001" }, "1")
    tap.equal(#body.plates, 2, "plates")
    tap.equal(headers.etag, "2", "etag")
    tap.equal(set({}, "1"), 412, "stale")
    local kept = park:ok("GET", "/audit", { as = OPERATOR }).items
    tap.equal(#kept, 2, "kept")
    expect(kept[1].version == 2 and kept[1] or kept[2],
        { action = "list", list = "allow", added = 2, removed = 1,
            reason = "业主" })
    park:refused(404, "parking/list-unknown", "GET", "/lists/best",
        { as = OPERATOR })
    park:refused(422, "request/invalid", "PUT", "/lists/allow",
        { as = OPERATOR, body = { plates = { CAR } } })
end)

test("a plate that is taken off the list pays from its next entry", function()
    local park = open()
    park:ok("PUT", "/lists/allow", { as = OPERATOR,
        body = { plates = { CAR }, reason = "业主" } })
    park:enter(CAR, "09:00")
    park:ok("PUT", "/lists/allow", { as = OPERATOR,
        body = { plates = {}, reason = "搬走" } })
    expect(park:exit(CAR, "12:00"), { action = "open", due_fen = 0 })
    park:enter(CAR, "13:00")
    expect(park:exit(CAR, "14:00"), { action = "hold", due_fen = 500 })
end)

test("who stands at a gate, or owes, is stopped by no limit or cap",
    function()
    local stops_not = {}
    for _, route in ipairs(open().world.manifest.routes) do
        if route.safety then
            stops_not[route.method .. " " .. route.path] = true
        end
    end
    for _, name in ipairs { "POST /gates/:gate/events",
        "POST /gates/:gate/replay", "GET /gates/:gate/commands",
        "POST /gates/:gate/open", "POST /sessions/:id/quote",
        "POST /sessions/:id/payments", "POST /bookings/:id/payments",
        "POST /scan-entry", "POST /scan-exit" } do
        tap.check(stops_not[name], name .. " is no safety route")
    end
end)

tap.finish()
