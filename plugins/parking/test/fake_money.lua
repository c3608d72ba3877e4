-- test/fake_money.lua: linli.money, as far as plugins under test use it.

local M = {}

-- Basis points of an amount, rounded down.
function M.bp(amount, basis_points)
    assert(math.type(amount) == "integer"
        and math.type(basis_points) == "integer", "linli.money: a float")
    return amount * basis_points // 10000
end

return M
