-- Does what the request's script says, step by step, and tells everything it
-- read: for the checker of histories. The same language, slow and obvious:
-- tests/lib/history_model.py; the manifest is made by tests/lib/histories.py.
local linli = require "linli"
local p = linli.plugin()

-- A document, or why a write was refused.
local function written(doc, why, index)
  return doc or { why, index }
end

local steps = {}

function steps.get(run, id)
  return run.docs:get(id) or linli.null
end

function steps.find(run, index, ...)
  return run.docs:find(index, ...) or linli.null
end

function steps.list(run, query)
  run.query = query
  local items
  items, query.cursor = run.docs:list(query)
  run.more[#run.more + 1] = query.cursor ~= nil
  return items
end

-- The page after that of the last list.
function steps.more(run)
  if run.query.cursor then return steps.list(run, run.query) end
  run.more[#run.more + 1] = false
  return linli.array()
end

function steps.count(run, query)
  return run.docs:count(query)
end

function steps.over(run, ...)
  return run.docs:overlapping(...)
end

function steps.over1(run, ...)
  return run.docs:overlaps(...) or linli.null
end

function steps.insert(run, doc) return written(run.docs:insert(doc)) end
function steps.put(run, doc) return written(run.docs:put(doc)) end

function steps.patch(run, id, changes)
  return written(run.docs:patch(id, changes))
end

function steps.delete(run, id)
  return run.docs:delete(id)
end

-- What everybody writes who knows of nobody else.
function steps.add(run, id, n)
  local doc = run.docs:get(id) or { id = id, n = 0 }
  doc.n = doc.n + n
  return written(run.docs:put(doc))
end

-- A document that depends on a range.
function steps.sum(run, query, id)
  local sum = 0
  for _, doc in ipairs((run.docs:list(query))) do sum = sum + doc.n end
  return written(run.docs:put { id = id, n = sum })
end

local function fail(run)
  local read = linli.json.encode(linli.array(run.read))
  run.call:fail("histories/no", read:sub(1, 250))
end

function steps.fail_if(run, id, there)
  if (run.docs:get(id) ~= nil) == there then fail(run) end
  return linli.null
end

function steps.fail_over(run, query, n)
  if run.docs:count(query) > n then fail(run) end
  return linli.null
end

-- Leaves with the commit, in its place.
function steps.tell(run, n)
  run.call:event("histories.told", { by = run.serial, n = n })
  return linli.null
end

function steps.wait(run, ms)
  run.call.host.probe_wait(ms)
  return linli.null
end

local function follow(call)
  local script = call.body
  local run = {
    call = call, docs = call.db[script.docs], read = {},
    more = linli.array(), serial = script.serial,
  }
  for i, step in ipairs(script.steps) do
    run.read[i] = steps[step[1]](run, table.unpack(step, 2))
  end
  if script.status == 0 then error("as the script says") end
  return script.status, { read = linli.array(run.read), more = run.more }
end

p:post("/run", follow)
p:post("/look", follow)
p:post("/peek", follow)

return p
