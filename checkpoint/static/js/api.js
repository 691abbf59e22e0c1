// Calls of our own API from a signed-in page: JSON in, JSON out, the CSRF header on writes, problems as exceptions.

/** A problem document (RFC 9457) that the server answered with, or status 0 when it could not be reached. */
export class ApiProblem extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || "");
    this.name = "ApiProblem";
    this.status = status;
    this.problem = problem;
  }

  /** Whether the token was ours once and command has ended its access. */
  get isRevoked() {
    return /:device_revoked$/.test(this.problem?.type ?? "");
  }
}

/**
 * Call `path`; `body` (if any) is sent as JSON. Resolves to the parsed answer (null when empty, and when nothing has changed: 304),
 * rejects with ApiProblem.
 */
export async function callApi(path, { method = "GET", body, headers = {}, signal, credentials } = {}) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  const all = { Accept: "application/json", ...headers };
  if (body !== undefined) all["Content-Type"] = "application/json";
  if (token && method !== "GET") all["X-CSRFToken"] = token;
  let response;
  try {
    response = await fetch(path, { method, headers: all, signal, credentials, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiProblem(0, { title: error.message });
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    answer = { title: response.statusText };
  }
  if (!response.ok && response.status !== 304) throw new ApiProblem(response.status, answer ?? {});
  return answer;
}
