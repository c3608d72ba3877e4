-- A timer and a job that fail whatever is tried, until they are told that all
-- is mended.
local linli = require "linli"
local p = linli.plugin()

p:post("/nags", function(call)
  local me = call.body.mine and call.caller.id or nil
  for i, key in ipairs(call.body.keys) do
    call:timer { at = call.body.at or call.now, run = "nag", key = key,
                 with = { n = i, secret = "of a resident" }, subject = me }
  end
  return 201, { set = #call.body.keys }
end)

p:post("/settle", function(call)
  call:job { run = "settle", with = { n = call.body.n }, key = call.body.key }
  return 201, {}
end)

p:post("/mend", function(call)
  call.db.mended:put { id = "all" }
  return 200, {}
end)

p:get("/done", function(call)
  local items, ids = call.db.done:list { limit = 100 }, {}
  for i, item in ipairs(items) do ids[i] = item.id .. " " .. item.n end
  return 200, { items = linli.array(ids) }
end)

local function try(call, with)
  if not call.db.mended:get("all") then error("not yet") end
  call.db.done:put { id = "n" .. with.n, n = with.n }
end

p:timer("nag", try)
p:job("settle", try)

return p
