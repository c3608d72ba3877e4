-- linli.money: exact arithmetic on integers. Every result either is exact in
-- 64 bits, rounded as said, or an error; no number here ever is a float.
local core = ...
local error, ipairs, math_type = error, ipairs, math.type
local sort = table.sort
local mul_div, sum = core.mul_div, core.sum

local money = { mul_div = mul_div, add = sum }

-- `basis_points` ten-thousandths of an amount; rounds down unless told.
function money.bp(amount, basis_points, rounding)
  return mul_div(amount, basis_points, 10000, rounding or "floor")
end

function money.sum(list)
  local total = 0
  for _, amount in ipairs(list) do
    total = sum(total, amount)
  end
  return total
end

-- What is left of total * weight after division: small, so exact although
-- the products wrap around.
local function remainder(total, weight, all, share)
  return total * weight - share * all
end

local function check_split(total, weights)
  if math_type(total) ~= "integer" then
    error("split: the total must be an integer", 3)
  end
  for i, weight in ipairs(weights) do
    if math_type(weight) ~= "integer" or weight < 0 then
      error("split: weight " .. i .. " must be an integer, 0 or more", 3)
    end
  end
end

-- Divides `total` in proportion to `weights` by largest remainder: the parts
-- sum exactly to the total, equal remainders favour the earlier part.
function money.split(total, weights)
  check_split(total, weights)
  local all = money.sum(weights)
  if all == 0 then
    error("split: the weights must not all be 0", 2)
  end
  local parts, rest, order = {}, {}, {}
  local missing = total
  for i, weight in ipairs(weights) do
    parts[i] = mul_div(total, weight, all, "floor")
    rest[i] = remainder(total, weight, all, parts[i])
    order[i] = i
    missing = missing - parts[i]
  end
  sort(order, function(a, b) return rest[a] > rest[b] end)
  for i = 1, missing do
    parts[order[i]] = parts[order[i]] + 1
  end
  return parts
end

return money
