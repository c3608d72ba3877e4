-- test/run.lua: tests of the parking plugin under stock Lua 5.4, no runtime.
--
--   lua5.4 plugins/parking/test/run.lua [SEED [COUNT]]
--
-- Prints TAP; exit 0 means that all passed. Hand-made vectors, the routes
-- over a stand-in for the SDK, then COUNT random stays against the reference.

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. here .. "/../?.lua;" .. package.path

local tap = require "tap"

-- Named, so that the order is the same everywhere.
for _, name in ipairs { "test_vectors", "test_calendar", "test_route",
    "test_random" } do
    require(name)
end
tap.finish()
