// Who answers a code that is not a pass: by the kind that codes.js finds (`carried`, `patrol`), an `async (text) => void`.
// A module that knows such codes puts its handler here when it is loaded; the lane asks before it says that a code is foreign.

export const handlers = new Map();
