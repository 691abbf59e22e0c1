// What an antigen test at the barrier does to a verdict. Pure; the server has the same rule (crossings/spot_rules.py), and both
// run the table tests/vectors/spot.json.

/** The verdict after a result: `{verdict, rule}`. `tier` is null where nobody stands behind the code. */
export function afterTest({ result, tier, problem }) {
  if (result === "positive") return { verdict: "hold", rule: "spot_test_positive" };
  if (problem || !tier) return { verdict: "refuse", rule: "spot_test_negative" };
  return { verdict: tier === "red" ? "hold" : "admit", rule: "spot_test_negative" };
}
