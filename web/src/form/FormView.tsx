/** The form view of the tab on show. (A stand-in until WEB-B's arrives.) */
export const FormView = () => <div />;
