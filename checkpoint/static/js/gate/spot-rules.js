// What an antigen test at the barrier does to a verdict. Pure; the server has the same rule (crossings/spot_rules.py), and both
// run the table tests/vectors/spot.json.

/**
 * The verdict after a result: `{verdict, rule}`. `tier` is null where nobody stands behind the code; `verdict` and `reasons` are those
 * of the scan, null and empty where they are not known. Red is let in only where an approval has let them in to the test.
 */
export function afterTest({ result, tier, problem, verdict = null, reasons = [] }) {
  if (result === "positive") return { verdict: "hold", rule: "spot_test_positive" };
  if (problem || !tier) return { verdict: "refuse", rule: "spot_test_negative" };
  const isHeld = reasons.some(holds) || (tier === "red" && verdict !== "test");
  return { verdict: isHeld ? "hold" : "admit", rule: "spot_test_negative" };
}

/** Whether an approval that binds was broken by more than a missing test: its rule has points only then. */
function holds({ rule, points, evidence, detail = evidence?.detail }) {
  return rule === "approval_broken" && points > 0 && detail[1] !== "test";
}
