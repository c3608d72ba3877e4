-- board.lua: how many spaces of a lot are free, for signs and apps. Told at
-- most every ten seconds, by a job, so that cars do not wait for each other.

local linli = require "linli"

local M = {}

local TELL_MS = 10 * linli.second

-- A car has come or gone.
---@param call linli.Call
---@param lot string
function M.changed(call, lot)
    if not ((linli.config.lots or {})[lot] or {}).capacity then
        return
    end
    call:job { run = "free_spaces", with = { lot = lot },
        key = "board/" .. lot, at = (call.now // TELL_MS + 1) * TELL_MS }
end

local function count(call, lot)
    local rules, inside = linli.config.lots[lot], 0
    for _, state in ipairs { "inside", "paid" } do
        inside = inside + call.db.session:count {
            index = "by_lot_state", eq = { lot, state } }
    end
    local capacity = rules.capacity and math.tointeger(rules.capacity)
    return {
        lot = lot,
        name = rules.name,
        capacity = capacity,
        inside = inside,
        free = capacity and math.max(0, capacity - inside),
    }
end

---@param call linli.Call
---@param with {lot: string}
function M.tell(call, with)
    if (linli.config.lots or {})[with.lot] then
        local board = count(call, with.lot)
        board.at = linli.time.format(call.now)
        call:event("parking.free_spaces", board)
    end
end

-- GET /board.
function M.get(call)
    local items = linli.array()
    for lot in pairs(linli.config.lots or {}) do
        items[#items + 1] = count(call, lot)
    end
    return 200, { items = items }
end

return M
