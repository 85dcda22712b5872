/** Help for the selected node. (A stand-in until WEB-B's arrives.) */
export const HelpPanel = () => <div />;
