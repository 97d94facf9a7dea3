-- What wrk sends. Its arguments: the sort, and a file or the fixed part of a form.
local sort, given, lines, at, salt

function init(arguments)
  sort, given = arguments[1], arguments[2]
  math.randomseed(os.time() * 1000 + (os.clock() * 1e6) % 1000)
  salt = string.format("%08x", math.random(0, 2 ^ 31 - 1))
  at = 0
  if sort == "lines" or sort == "paths" then
    lines = {}
    for line in io.lines(given) do lines[#lines + 1] = line end
  end
end

local function network()
  return string.format("10.%d.%d.%d", at % 256, math.floor(at / 256) % 256, math.floor(at / 65536) % 256)
end

function request()
  at = at + 1
  local headers = {
    ["Content-Type"] = "application/x-www-form-urlencoded",
    ["X-Forwarded-For"] = network(),
    ["Sec-Fetch-Site"] = "same-origin",
  }
  if sort == "sign" then
    local body = string.format("name=Ada+Fictional&email=ada-%s-%d%%40example.org&%s", salt, at, given)
    return wrk.format("POST", wrk.path, headers, body)
  elseif sort == "post" then
    return wrk.format("POST", wrk.path, headers, given)
  elseif sort == "lines" then
    local path, body = lines[(at - 1) % #lines + 1]:match("^(%S+) ?(.*)$")
    return wrk.format("POST", path, headers, body)
  elseif sort == "paths" then
    return wrk.format("GET", lines[(at - 1) % #lines + 1])
  elseif sort == "mixed" then
    if at % 51 == 0 then
      local body = string.format("name=Ada+Fictional&email=ada-%s-%d%%40example.org&%s", salt, at, given)
      return wrk.format("POST", "/petition/sign", headers, body)
    end
    return wrk.format("GET", "/petition", { ["X-Forwarded-For"] = network() })
  end
  return wrk.format("GET")
end

local wrong = 0
function response(status)
  if status >= 400 then wrong = wrong + 1 end
  if wrong == 1 and status >= 400 then io.stderr:write("wrong answer: " .. status .. "\n") end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "\nFOUND %d %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(95), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
