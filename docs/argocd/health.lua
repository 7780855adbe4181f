-- Health of a NitroEnclaveDeployment for Argo CD; docs/argocd.md says how to install it.
-- Argo CD gives the object as obj and keeps the standard libraries closed: nothing here needs more than ipairs.

local function find(kind)
  for _, condition in ipairs(obj.status.conditions) do
    if condition.type == kind then
      return condition
    end
  end
  return { status = "Unknown", message = "The condition " .. kind .. " is not there yet." }
end

local function health(status, message)
  return { status = status, message = message }
end

if obj.status == nil or obj.status.conditions == nil then
  return health("Progressing", "The Reconciler has not looked at it yet.")
end

-- Until the Reconciler has seen this generation, its conditions are about an earlier one.
if obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "The Reconciler has not looked at the current spec yet.")
end

local stalled = find("Stalled")
if stalled.status == "True" then
  return health("Degraded", stalled.message)
end

local reconciling = find("Reconciling")
if reconciling.status == "True" then
  return health("Progressing", reconciling.message)
end

-- Also when all enclaves run: what is paused does not take up the next change, and a Deployment is shown in the same way.
if obj.spec.paused == true then
  return health("Suspended", "Rollouts are paused: set spec.paused to false to let them go on.")
end

local ready = find("Ready")
if ready.status == "True" then
  return health("Healthy", ready.message)
end
if ready.status == "False" then
  return health("Degraded", ready.message)
end
return health("Progressing", ready.message)
