-- tariffs.lua: which tariff a lot has, and how the operator changes it.

local linli = require "linli"
local record = require "record"

local M = {}

local LOT_BYTES_MAX = 64

-- The lot's stored tariff, else the one of the configuration, which counts
-- as version 0; nil if there is neither.
---@param call linli.Call
---@param lot string
---@return {version: integer, tariff: parking.Tariff}?
function M.current(call, lot)
    local stored = call.db.tariff:get(lot)
    if stored then
        return stored
    end
    local configured = (linli.config.lots or {})[lot]
    return configured and { version = 0, tariff = configured.tariff }
end

local function lot_of(call)
    local lot = call.params.lot
    if #lot > LOT_BYTES_MAX or not lot:find("^%w[%w._-]*$") then
        call:fail("parking/lot-unknown")
    end
    return lot
end

local function answer(status, lot, kept)
    return status,
        { lot = lot, version = kept.version, tariff = kept.tariff },
        { etag = tostring(kept.version) }
end

function M.get(call)
    local lot = lot_of(call)
    local kept = M.current(call, lot) or call:fail("parking/lot-unknown")
    return answer(200, lot, kept)
end

-- Without If-Match a first tariff is stored and none is replaced. The one of
-- the configuration may be named ("0") and need not be: to store over it
-- loses nobody's change.
local function check_if_match(call, kept)
    local wanted = call.if_match
    if not wanted then
        if kept and kept.version > 0 then
            call:fail("parking/if-match-missing")
        end
    elseif not kept
        or wanted ~= "*" and wanted ~= tostring(kept.version) then
        call:fail("parking/if-match-stale")
    end
end

function M.put(call)
    local lot = lot_of(call)
    local old = M.current(call, lot)
    check_if_match(call, old)
    local kept = call.db.tariff:put {
        id = lot,
        version = (old and old.version or 0) + 1,
        tariff = call.body,
        at = call.now,
    }
    record.audit(call, "tariff",
        { lot = lot, version = kept.version, tariff = kept.tariff })
    return answer(kept.version == 1 and 201 or 200, lot, kept)
end

return M
